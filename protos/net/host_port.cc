#include "protos/net/host_port.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace forewarn::net {
namespace {

constexpr size_t kLongestName = 253;  // RFC 1035 as text

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text,
                                       uint16_t default_port) {
  const absl::Status bad = absl::InvalidArgumentError(
      absl::StrCat("read ", text, ": not host:port"));
  absl::string_view host = text;
  absl::string_view rest;
  if (absl::ConsumePrefix(&host, "[")) {  // an IPv6 address
    const size_t end = host.find(']');
    if (end == absl::string_view::npos) return bad;
    rest = host.substr(end + 1);
    host = host.substr(0, end);
  } else if (const size_t colon = host.find(':');
             colon != absl::string_view::npos) {
    rest = host.substr(colon);
    host = host.substr(0, colon);
  }
  if (host.empty() || host.size() > kLongestName ||
      host.find_first_of("/?#@[] ") != absl::string_view::npos) {
    return bad;
  }
  uint32_t port = default_port;
  if (!rest.empty() &&
      (!absl::ConsumePrefix(&rest, ":") || !absl::SimpleAtoi(rest, &port))) {
    return bad;
  }
  if (port < 1 || port > 65535) return bad;
  return HostPort{.host = std::string(host),
                  .port = static_cast<uint16_t>(port)};
}

}  // namespace forewarn::net
