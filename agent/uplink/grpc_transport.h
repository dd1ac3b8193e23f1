#ifndef FOREWARN_AGENT_UPLINK_GRPC_TRANSPORT_H_
#define FOREWARN_AGENT_UPLINK_GRPC_TRANSPORT_H_

#include <memory>
#include <string>

#include "agent/uplink/transport.h"

namespace forewarn::agent {

// gRPC over mutual TLS 1.3 with the identity's CA as the only trust anchor;
// the collector's certificate must be for the host that is dialled. A dead
// peer is noticed within 40 s. Made of nghttp2 and OpenSSL: one connection,
// no thread of its own (docs/decisions tells what gRPC's library would cost).
// Thread-safe.
class GrpcTransport final : public Transport {
 public:
  std::unique_ptr<Stream> Open(const std::string& collector,
                               const Identity& identity) override;
  absl::Status Probe(const std::string& collector, const Identity& identity,
                     absl::Duration timeout) override;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_UPLINK_GRPC_TRANSPORT_H_
