#ifndef FOREWARN_COLLECTOR_CLI_API_CLIENT_H_
#define FOREWARN_COLLECTOR_CLI_API_CLIENT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "collector/cli/client_config.h"

namespace forewarn::cli {

// Speaks to the collector's HTTPS API, trusting only `ca_file`. One
// connection for each request; answers over 64 MiB are refused.
//
// Errors: kUnavailable no connection, or a certificate that `ca_file` did not
// sign for this name; else what the collector said: kUnauthenticated,
// kPermissionDenied, kNotFound, kFailedPrecondition (409), kInvalidArgument,
// kInternal, kUnavailable (503).
//
// Threads  thread-compatible.
class ApiClient {
 public:
  // kInvalidArgument when the URL is none.
  static absl::StatusOr<ApiClient> Make(const ClientConfig& config);

  // Body of the answer; `path` begins with a slash.
  absl::StatusOr<std::string> Get(const std::string& path) const;
  absl::StatusOr<std::string> Post(const std::string& path,
                                   const std::string& json) const;
  absl::Status Delete(const std::string& path) const;

 private:
  ApiClient() = default;
  absl::StatusOr<std::string> Send(const char* method, const std::string& path,
                                   const std::string& json) const;

  ClientConfig config_;
  std::string host_;
  int port_ = 443;
};

// "a b/c" as "a%20b%2Fc", for one path segment or query value.
std::string EscapeForUrl(absl::string_view text);

}  // namespace forewarn::cli

#endif  // FOREWARN_COLLECTOR_CLI_API_CLIENT_H_
