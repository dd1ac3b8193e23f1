#ifndef FOREWARN_COLLECTOR_API_HTTPS_SERVER_H_
#define FOREWARN_COLLECTOR_API_HTTPS_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "collector/api/http.h"

namespace forewarn::api {

struct HttpsServerOptions {
  std::string address = "127.0.0.1";  // an IP address
  uint16_t port = 8460;               // 0: any free one
  std::string certificate_path;       // PEM chain, read anew when it changes
  std::string key_path;

  // Chosen: what the API needs, with room; a slow or greedy peer gets no
  // more.
  size_t header_bytes = 16 * 1024;
  size_t header_count = 64;
  size_t body_bytes = 1024 * 1024;
  size_t connections = 512;
  size_t connections_per_peer = 128;
  int handler_threads = 3;
  absl::Duration handshake_timeout = absl::Seconds(10);
  absl::Duration idle_timeout = absl::Seconds(30);  // between requests
  absl::Duration read_timeout = absl::Seconds(15);  // first to last byte
  absl::Duration write_timeout = absl::Seconds(30);
  // How long the rest of a refused request is swallowed, so that its sender
  // gets the answer and no reset.
  absl::Duration linger_timeout = absl::Seconds(1);
  absl::Duration drain_timeout = absl::Seconds(5);
  absl::Duration certificate_check = absl::Seconds(30);
};

// What the server counted since it started.
struct HttpsServerStats {
  uint64_t open_connections = 0;
  uint64_t connections = 0;
  uint64_t connections_refused = 0;  // over a limit
  uint64_t handshakes_failed = 0;
  uint64_t requests = 0;
  uint64_t requests_refused = 0;  // 400, 408, 413, 431 before any handler
  uint64_t certificate_reloads = 0;
};

// HTTP/1.1 over TLS 1.2 (ECDHE with AEAD ciphers only) or 1.3. 1.2 stays in
// for browsers and proxies of the console; agents and `forewarn` speak 1.3.
//
// One thread moves bytes, a few run the handler. HEAD is passed on as HEAD
// and answered without the body. Thread-safe.
class HttpsServer {
 public:
  // kInvalidArgument: bad address, certificate or key; kUnavailable: the port
  // cannot be bound. `handler` may be called until Stop returns.
  static absl::StatusOr<std::unique_ptr<HttpsServer>> Start(
      HttpsServerOptions options, HttpHandler handler);
  // Stops.
  ~HttpsServer();

  uint16_t port() const;
  HttpsServerStats stats() const;

  // Takes no new connection, lets running requests finish (at most
  // `drain_timeout`, and as long as the handler runs), closes all others.
  void Stop();

 private:
  class Impl;
  explicit HttpsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_HTTPS_SERVER_H_
