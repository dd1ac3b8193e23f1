#ifndef FOREWARN_AGENT_UPLINK_TLS_CONNECTION_H_
#define FOREWARN_AGENT_UPLINK_TLS_CONNECTION_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/identity/key_store.h"
#include "protos/base/deadline.h"
#include "protos/base/descriptor.h"

namespace forewarn::agent {

// A TCP connection to one collector under mutual TLS 1.3, with the identity's
// CA as the only trust anchor and ALPN "h2". Never blocks once it is made.
// Thread-compatible.
class TlsConnection {
 public:
  // `collector` is host:port. Ends early when `interrupt`, an eventfd, becomes
  // readable. kUnavailable when nobody answers within `timeout` or the
  // collector cannot prove to be one; kUnauthenticated when it refuses our
  // certificate; kCancelled when interrupted.
  static absl::StatusOr<std::unique_ptr<TlsConnection>> Dial(
      const std::string& collector, const Identity& identity,
      absl::Duration timeout, int interrupt);

  // Bytes that came, at most `size`; 0 when none are there yet. kUnavailable
  // at the end of the connection.
  absl::StatusOr<size_t> Read(char* out, size_t size);

  // How many of the bytes were taken; 0 when the socket is full.
  absl::StatusOr<size_t> Write(absl::string_view bytes);

  int fd() const { return socket_.get(); }

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  struct FreeSession {
    void operator()(SSL* session) const { SSL_free(session); }
  };
  using ContextHandle = std::unique_ptr<SSL_CTX, FreeContext>;

  TlsConnection(std::string collector, base::Descriptor socket,
                std::unique_ptr<SSL, FreeSession> session);

  static absl::StatusOr<ContextHandle> MakeContext(const Identity& identity);
  absl::Status Handshake(base::Deadline deadline, int interrupt);
  absl::Status Failure(int result) const;

  const std::string collector_;
  const base::Descriptor socket_;
  const std::unique_ptr<SSL, FreeSession> session_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_UPLINK_TLS_CONNECTION_H_
