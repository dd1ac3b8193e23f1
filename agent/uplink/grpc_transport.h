#ifndef FOREWARN_AGENT_UPLINK_GRPC_TRANSPORT_H_
#define FOREWARN_AGENT_UPLINK_GRPC_TRANSPORT_H_

#include <memory>
#include <string>

#include "agent/uplink/transport.h"

namespace forewarn::agent {

// gRPC over mutual TLS with the identity's CA as the only trust anchor; the
// collector's certificate must be for the host that is dialled. A dead peer
// is noticed within 40 s. Thread-safe.
class GrpcTransport final : public Transport {
 public:
  // Leaves TLS 1.3 as the only version: gRPC 1.51 has no setting for it, but
  // with cipher suites for RSA alone TLS 1.2 cannot agree with our ECDSA
  // certificates. Before any other use of gRPC in the process.
  static void AllowOnlyTls13();

  std::unique_ptr<Stream> Open(const std::string& collector,
                               const Identity& identity) override;
  absl::Status Probe(const std::string& collector, const Identity& identity,
                     absl::Duration timeout) override;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_UPLINK_GRPC_TRANSPORT_H_
