#include "agent/uplink/tls_connection.h"

#include <openssl/err.h>
#include <poll.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/identity/openssl_handles.h"
#include "protos/base/status.h"
#include "protos/net/host_port.h"
#include "protos/net/peer_name.h"
#include "protos/net/socket_address.h"
#include "protos/net/tcp_connect.h"

namespace forewarn::agent {
namespace {

constexpr unsigned char kHttp2[] = {2, 'h', '2'};

// Each address in turn, each with its share of the time that is left.
absl::StatusOr<base::Descriptor> ConnectTo(const net::HostPort& server,
                                           base::Deadline deadline,
                                           int interrupt) {
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<net::SocketAddress> addresses,
                            net::LookUp(server.host, server.port));
  absl::Status last = absl::UnavailableError("no address");
  for (size_t i = 0; i < addresses.size(); ++i) {
    const base::Deadline share(deadline.Left() /
                               static_cast<int64_t>(addresses.size() - i));
    absl::StatusOr<base::Descriptor> socket =
        net::TcpConnect(addresses[i], share, interrupt);
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
  const base::Deadline deadline(timeout);
  FOREWARN_ASSIGN_OR_RETURN(const net::HostPort server,
                            net::ParseHostPort(collector));
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
  if (!net::ExpectPeer(session.get(), server.host)) {
    return OpenSslError(absl::StrCat("connect to ", collector));
  }
  SSL_set_connect_state(session.get());
  std::unique_ptr<TlsConnection> connection(
      new TlsConnection(collector, *std::move(socket), std::move(session)));
  FOREWARN_RETURN_IF_ERROR(connection->Handshake(deadline, interrupt));
  return connection;
}

absl::Status TlsConnection::Handshake(base::Deadline deadline, int interrupt) {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(session_.get());
    if (result == 1) break;
    const int error = SSL_get_error(session_.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      return Failure(result);
    }
    const absl::Status ready =
        net::AwaitReady(fd(), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
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
