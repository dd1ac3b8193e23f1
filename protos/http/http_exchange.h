#ifndef FOREWARN_PROTOS_HTTP_HTTP_EXCHANGE_H_
#define FOREWARN_PROTOS_HTTP_HTTP_EXCHANGE_H_

#include <openssl/ssl.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace forewarn::http {

struct Request {
  std::string host;  // a name or an address, IPv6 without brackets
  int port = 443;
  bool tls = true;
  std::string method = "GET";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // From the look-up of the name to the last byte of the answer.
  absl::Duration timeout = absl::Seconds(20);
  // Of the answer; what is beyond is not read.
  size_t max_body_bytes = 256 << 10;
  // Called before the handshake. Until it says otherwise the system's
  // authorities are trusted, and the certificate must be for `host`.
  std::function<void(SSL_CTX*)> prepare_tls;
};

struct Reply {
  int status = 0;
  std::string content_type;
  std::string request_id;  // X-Request-Id
  std::string body;
  bool truncated = false;  // at max_body_bytes
};

// One request and its answer on a connection of its own: HTTP/1.1 over TCP or
// TLS 1.2 or later, no redirects followed.
class Exchange {
 public:
  Exchange();
  ~Exchange();

  // Blocks. kUnavailable when there is no connection or no whole answer,
  // kUnauthenticated when the server's certificate is refused,
  // kDeadlineExceeded, kCancelled. An HTTP error is a Reply.
  absl::StatusOr<Reply> Run(const Request& request);

  // From any thread: ends Run soon, also one that begins later.
  void Cancel();

 private:
  struct Core;
  const std::unique_ptr<Core> core_;
};

}  // namespace forewarn::http

#endif  // FOREWARN_PROTOS_HTTP_HTTP_EXCHANGE_H_
