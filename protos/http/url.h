#ifndef FOREWARN_PROTOS_HTTP_URL_H_
#define FOREWARN_PROTOS_HTTP_URL_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protos/net/host_port.h"

namespace forewarn::http {

struct Url {
  bool tls = true;
  net::HostPort server;
  std::string target = "/";  // path and query
};

// An http or https URL without user and fragment; `https_port` is meant where
// it names none. kInvalidArgument otherwise.
absl::StatusOr<Url> ParseUrl(absl::string_view text, uint16_t https_port = 443);

// https://host[:port][/], of a server rather than of something on it.
absl::StatusOr<net::HostPort> ParseServerUrl(absl::string_view text,
                                             uint16_t default_port);

}  // namespace forewarn::http

#endif  // FOREWARN_PROTOS_HTTP_URL_H_
