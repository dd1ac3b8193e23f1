#include "agent/uplink/tls_connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/identity/openssl_handles.h"
#include "protos/base/localhost.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr unsigned char kHttp2[] = {2, 'h', '2'};

struct HostAndService {
  std::string host;
  std::string service;
};

absl::StatusOr<HostAndService> Split(absl::string_view collector) {
  const size_t colon = collector.rfind(':');
  if (colon == absl::string_view::npos || colon == 0 ||
      colon + 1 == collector.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("connect to ", collector, ": must be host:port"));
  }
  absl::string_view host = collector.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  return HostAndService{std::string(host),
                        std::string(collector.substr(colon + 1))};
}

// Until `fd` is ready for `events`, or the deadline, or the interrupt.
absl::Status AwaitReady(int fd, short events, absl::Time deadline,
                        int interrupt) {
  for (;;) {
    pollfd waiting[] = {{fd, events, 0}, {interrupt, POLLIN, 0}};
    const int64_t left = absl::ToInt64Milliseconds(
        absl::Ceil(deadline - absl::Now(), absl::Milliseconds(1)));
    const int ready = poll(
        waiting, 2, static_cast<int>(std::clamp<int64_t>(left, 0, 3600000)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return absl::ErrnoToStatus(errno, "poll");
    if (waiting[1].revents != 0) return absl::CancelledError("interrupted");
    if (ready == 0) return absl::UnavailableError("no answer in time");
    return absl::OkStatus();
  }
}

struct Addresses {
  addrinfo* first = nullptr;
  ~Addresses() {
    if (first != nullptr) freeaddrinfo(first);
  }
};

absl::StatusOr<base::Descriptor> ConnectTo(const addrinfo& address,
                                           absl::Time deadline, int interrupt) {
  base::Descriptor socket(::socket(
      address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return absl::ErrnoToStatus(errno, "socket");
  const int one = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) {
    return socket;
  }
  if (errno != EINPROGRESS) return absl::ErrnoToStatus(errno, "connect");
  FOREWARN_RETURN_IF_ERROR(
      AwaitReady(socket.get(), POLLOUT, deadline, interrupt));
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return absl::ErrnoToStatus(error, "connect");
  return socket;
}

// Each address in turn, each with its share of the time that is left.
absl::StatusOr<base::Descriptor> ConnectTo(const HostAndService& server,
                                           absl::Time deadline, int interrupt) {
  std::vector<std::string> names = {server.host};
  if (base::IsLocalhost(server.host)) {
    names.assign(std::begin(base::kLoopback), std::end(base::kLoopback));
  }
  std::vector<std::unique_ptr<Addresses>> found;
  std::vector<const addrinfo*> all;
  absl::Status last = absl::UnavailableError("no address");
  for (const std::string& name : names) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    auto addresses = std::make_unique<Addresses>();
    const int error = getaddrinfo(name.c_str(), server.service.c_str(), &wanted,
                                  &addresses->first);
    if (error != 0) last = absl::UnavailableError(gai_strerror(error));
    for (const addrinfo* a = addresses->first; a != nullptr; a = a->ai_next) {
      all.push_back(a);
    }
    found.push_back(std::move(addresses));
  }
  for (size_t i = 0; i < all.size(); ++i) {
    const absl::Time now = absl::Now();
    absl::StatusOr<base::Descriptor> socket = ConnectTo(
        *all[i], now + (deadline - now) / (all.size() - i), interrupt);
    if (socket.ok() || absl::IsCancelled(socket.status())) return socket;
    last = socket.status();
  }
  return last;
}

bool IsRefusalOfUs(unsigned long error) {
  switch (ERR_GET_REASON(error)) {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

}  // namespace

TlsConnection::TlsConnection(std::string collector, base::Descriptor socket,
                             std::unique_ptr<SSL, FreeSession> session)
    : collector_(std::move(collector)),
      socket_(std::move(socket)),
      session_(std::move(session)) {}

absl::StatusOr<TlsConnection::ContextHandle> TlsConnection::MakeContext(
    const Identity& identity) {
  ContextHandle context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return OpenSslError("prepare TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const CertificateHandle ca = ParseCertificate(identity.ca_pem);
  const CertificateHandle own = ParseCertificate(identity.certificate_pem);
  const BioHandle key_text = ReadBio(identity.key_pem);
  const KeyHandle key(
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  if (ca == nullptr || own == nullptr || key == nullptr ||
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca.get()) !=
          1 ||
      SSL_CTX_use_certificate(context.get(), own.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 ||
      SSL_CTX_set_alpn_protos(context.get(), kHttp2, sizeof(kHttp2)) != 0) {
    return OpenSslError("use this endpoint's certificate");
  }
  return context;
}

absl::StatusOr<std::unique_ptr<TlsConnection>> TlsConnection::Dial(
    const std::string& collector, const Identity& identity,
    absl::Duration timeout, int interrupt) {
  const absl::Time deadline = absl::Now() + timeout;
  FOREWARN_ASSIGN_OR_RETURN(const HostAndService server, Split(collector));
  FOREWARN_ASSIGN_OR_RETURN(const ContextHandle context, MakeContext(identity));
  absl::StatusOr<base::Descriptor> socket =
      ConnectTo(server, deadline, interrupt);
  if (!socket.ok()) {
    if (absl::IsCancelled(socket.status())) return socket.status();
    return absl::UnavailableError(absl::StrCat("connect to ", collector, ": ",
                                               socket.status().message()));
  }
  std::unique_ptr<SSL, FreeSession> session(SSL_new(context.get()));
  if (session == nullptr || SSL_set_fd(session.get(), socket->get()) != 1) {
    return OpenSslError("prepare TLS");
  }
  // An address is looked for among addresses, a name among names.
  X509_VERIFY_PARAM* const rules = SSL_get0_param(session.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, server.host.c_str()) != 1) {
    ERR_clear_error();
    if (SSL_set1_host(session.get(), server.host.c_str()) != 1 ||
        SSL_set_tlsext_host_name(session.get(), server.host.c_str()) != 1) {
      return OpenSslError(absl::StrCat("connect to ", collector));
    }
  }
  SSL_set_connect_state(session.get());
  std::unique_ptr<TlsConnection> connection(
      new TlsConnection(collector, *std::move(socket), std::move(session)));
  FOREWARN_RETURN_IF_ERROR(connection->Handshake(deadline, interrupt));
  return connection;
}

absl::Status TlsConnection::Handshake(absl::Time deadline, int interrupt) {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(session_.get());
    if (result == 1) break;
    const int error = SSL_get_error(session_.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      return Failure(result);
    }
    const absl::Status ready =
        AwaitReady(fd(), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
                   deadline, interrupt);
    if (absl::IsCancelled(ready)) return ready;
    if (!ready.ok()) {
      return absl::UnavailableError(
          absl::StrCat("connect to ", collector_, ": ", ready.message()));
    }
  }
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(session_.get(), &protocol, &size);
  if (size != 2 || std::memcmp(protocol, kHttp2 + 1, 2) != 0) {
    return absl::UnavailableError(absl::StrCat(
        "connect to ", collector_,
        ": what answers there does not speak HTTP/2; is it the agents' port?"));
  }
  return absl::OkStatus();
}

absl::Status TlsConnection::Failure(int result) const {
  const int error_number = errno;
  const int kind = SSL_get_error(session_.get(), result);
  const unsigned long error = ERR_peek_error();
  const std::string deed = absl::StrCat("connect to ", collector_, ": ");
  if (kind == SSL_ERROR_SSL && IsRefusalOfUs(error)) {
    ERR_clear_error();
    return absl::UnauthenticatedError(absl::StrCat(
        deed, "the collector does not accept this endpoint's certificate (",
        ERR_reason_error_string(error), ")"));
  }
  std::string why = "the collector closed the connection";
  const long verdict = SSL_get_verify_result(session_.get());
  if (kind == SSL_ERROR_SSL && verdict != X509_V_OK) {
    why = absl::StrCat("the collector is not trusted: ",
                       X509_verify_cert_error_string(verdict));
  } else if (kind == SSL_ERROR_SSL && error != 0 &&
             ERR_reason_error_string(error) != nullptr) {
    why = ERR_reason_error_string(error);
  } else if (kind == SSL_ERROR_SYSCALL && error_number != 0) {
    why = std::strerror(error_number);
  }
  ERR_clear_error();
  return absl::UnavailableError(absl::StrCat(deed, why));
}

absl::StatusOr<size_t> TlsConnection::Read(char* out, size_t size) {
  ERR_clear_error();
  size_t count = 0;
  const int result = SSL_read_ex(session_.get(), out, size, &count);
  if (result == 1) return count;
  const int error = SSL_get_error(session_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
  return Failure(result);
}

absl::StatusOr<size_t> TlsConnection::Write(absl::string_view bytes) {
  if (bytes.empty()) return 0;
  ERR_clear_error();
  size_t count = 0;
  const int result =
      SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &count);
  if (result == 1) return count;
  const int error = SSL_get_error(session_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
  return Failure(result);
}

}  // namespace forewarn::agent
