#include "collector/ingest/ingest_service.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protos/base/status.h"
#include "protos/net/socket_address.h"

namespace forewarn::ingest {
namespace {

constexpr int kBacklog = 4096;
constexpr absl::Duration kFarewell = absl::Seconds(2);

absl::StatusOr<base::Descriptor> Listen(const std::string& address, int port) {
  const std::string deed =
      absl::StrCat("listen for agents on ", address, ":", port);
  const std::optional<net::SocketAddress> own =
      net::ParseAddress(address, static_cast<uint16_t>(port));
  if (!own.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat(deed, ": must be an IP address"));
  }
  base::Descriptor listener(
      socket(own->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int one = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (bind(listener.get(), own->get(), own->length) != 0 ||
      listen(listener.get(), kBacklog) != 0) {
    return absl::UnavailableError(
        absl::StrCat(deed, ": ", base::ErrnoStatus(errno, "bind").message()));
  }
  return listener;
}

int PortOf(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  char service[16] = {};
  getnameinfo(reinterpret_cast<sockaddr*>(&address), size, nullptr, 0, service,
              sizeof(service), NI_NUMERICSERV);
  return std::atoi(service);
}

}  // namespace

IngestService::IngestService(StreamHost& host,
                             const identity::CertificateAuthority& ca,
                             fleet::EndpointRegistry& registry)
    : host_(host), ca_(ca), registry_(registry) {}

IngestService::~IngestService() { Stop(); }

absl::Status IngestService::Start() {
  const IngestOptions& options = host_.options();
  FOREWARN_ASSIGN_OR_RETURN(listener_, Listen(options.address, options.port));
  port_ = PortOf(listener_.get());
  for (int i = 0; i < options.threads; ++i) {
    threads_.push_back(
        std::make_unique<PortThread>(i, host_, *this, listener_.get()));
    FOREWARN_RETURN_IF_ERROR(threads_.back()->Start());
  }
  return absl::OkStatus();
}

void IngestService::Stop() {
  if (threads_.empty()) return;
  host_.CutAll(absl::UnavailableError("the collector is going down"));
  for (const auto& thread : threads_) thread->Stop(kFarewell);
  threads_.clear();
  listener_ = base::Descriptor();
}

absl::StatusOr<std::string> IngestService::Authenticate(
    absl::string_view certificate_pem) {
  FOREWARN_ASSIGN_OR_RETURN(const identity::EndpointIdentity peer,
                            ca_.VerifyPeer(certificate_pem));
  const std::optional<v1::Endpoint> endpoint = registry_.Find(peer.endpoint_id);
  if (!endpoint.has_value() || endpoint->id() != peer.endpoint_id) {
    return absl::UnauthenticatedError(
        absl::StrCat("endpoint ", peer.endpoint_id, " is not enrolled here"));
  }
  if (endpoint->has_revoked_at()) {
    return absl::PermissionDeniedError(
        absl::StrCat("endpoint ", peer.endpoint_id, " was revoked"));
  }
  return peer.endpoint_id;
}

}  // namespace forewarn::ingest
