#ifndef FOREWARN_AGENT_IDENTITY_HTTPS_CLIENT_H_
#define FOREWARN_AGENT_IDENTITY_HTTPS_CLIENT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace forewarn::agent {

// Whom to believe: the CA itself, or, before it is known, the SHA-256 of its
// SubjectPublicKeyInfo. There is no third way, and none without a check.
struct TrustedCa {
  std::string pem;
  std::string pin;
};

struct HttpReply {
  int status = 0;
  std::string content_type;
  std::string body;
};

// One JSON request and its answer; a seam for tests. Thread-safe.
class HttpsClient {
 public:
  virtual ~HttpsClient() = default;

  // Posts `body` to `path` at `url`, https://host[:port]; 8460 where it names
  // none. kUnavailable when
  // nobody answers, kUnauthenticated when the server cannot prove to be the
  // collector. An HTTP error is a reply, not a Status.
  virtual absl::StatusOr<HttpReply> PostJson(const std::string& url,
                                             const std::string& path,
                                             const std::string& body,
                                             const TrustedCa& trusted) = 0;
};

// Over TLS. The server's chain must lead to the trusted CA, found by its pin
// among the certificates that the server sent if need be, and its certificate
// must be for the host of the URL.
class PinnedHttpsClient final : public HttpsClient {
 public:
  explicit PinnedHttpsClient(absl::Duration timeout = absl::Seconds(20))
      : timeout_(timeout) {}

  absl::StatusOr<HttpReply> PostJson(const std::string& url,
                                     const std::string& path,
                                     const std::string& body,
                                     const TrustedCa& trusted) override;

 private:
  const absl::Duration timeout_;
};

// What a reply that is no success means: the code by its status, the message
// from application/problem+json where there is one.
absl::Status StatusOfReply(const HttpReply& reply, absl::string_view deed);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_IDENTITY_HTTPS_CLIENT_H_
