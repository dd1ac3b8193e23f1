#include "collector/ingest/grpc_status.h"

#include <string>

namespace forewarn::ingest {

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message()));
}

}  // namespace forewarn::ingest
