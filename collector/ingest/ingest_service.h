#ifndef FOREWARN_COLLECTOR_INGEST_INGEST_SERVICE_H_
#define FOREWARN_COLLECTOR_INGEST_INGEST_SERVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "collector/fleet/endpoint_registry.h"
#include "collector/identity/certificate_authority.h"
#include "collector/ingest/port_thread.h"
#include "collector/ingest/stream_host.h"

namespace forewarn::ingest {

// The agents' port: gRPC over mutual TLS 1.3, nothing else. A peer without a
// certificate of our CA is refused in the handshake. A few threads, each with
// its own connections.
class IngestService final : public Doorkeeper {
 public:
  // All references must outlive it.
  IngestService(StreamHost& host, const identity::CertificateAuthority& ca,
                fleet::EndpointRegistry& registry);
  ~IngestService();

  // Opens the port; `port()` is then known. kUnavailable when it is taken.
  absl::Status Start();
  // Tells every agent and waits a moment for the word to get out.
  void Stop();
  int port() const { return port_; }

  absl::StatusOr<std::string> Authenticate(
      absl::string_view certificate_pem) override;

 private:
  StreamHost& host_;
  const identity::CertificateAuthority& ca_;
  fleet::EndpointRegistry& registry_;
  base::Descriptor listener_;
  std::vector<std::unique_ptr<PortThread>> threads_;
  int port_ = 0;
};

}  // namespace forewarn::ingest

#endif  // FOREWARN_COLLECTOR_INGEST_INGEST_SERVICE_H_
