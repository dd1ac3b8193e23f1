#ifndef FOREWARN_COLLECTOR_INGEST_GRPC_STATUS_H_
#define FOREWARN_COLLECTOR_INGEST_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace forewarn::ingest {

// The codes are the same numbers on both sides.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace forewarn::ingest

#endif  // FOREWARN_COLLECTOR_INGEST_GRPC_STATUS_H_
