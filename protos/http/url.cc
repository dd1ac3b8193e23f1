#include "protos/http/url.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "protos/base/status.h"

namespace forewarn::http {

absl::StatusOr<Url> ParseUrl(absl::string_view text, uint16_t https_port) {
  Url url;
  absl::string_view rest = text;
  url.tls = absl::ConsumePrefix(&rest, "https://");
  if (!url.tls && !absl::ConsumePrefix(&rest, "http://")) {
    return absl::InvalidArgumentError(
        absl::StrCat("read ", text, ": not an http or https URL"));
  }
  rest = rest.substr(0, rest.find('#'));
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  FOREWARN_ASSIGN_OR_RETURN(
      url.server, net::ParseHostPort(rest.substr(0, end),
                                     url.tls ? https_port : uint16_t{80}));
  rest.remove_prefix(end);
  url.target = absl::StrCat(absl::StartsWith(rest, "/") ? "" : "/", rest);
  return url;
}

absl::StatusOr<net::HostPort> ParseServerUrl(absl::string_view text,
                                             uint16_t default_port) {
  const absl::StatusOr<Url> url = ParseUrl(text, default_port);
  if (!url.ok() || !url->tls || url->target != "/" ||
      absl::StrContains(text, '#')) {
    return absl::InvalidArgumentError(
        absl::StrCat("read URL ", text, ": must be https://host:port"));
  }
  return url->server;
}

}  // namespace forewarn::http
