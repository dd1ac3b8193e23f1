#ifndef FOREWARN_PROTOS_NET_HOST_PORT_H_
#define FOREWARN_PROTOS_NET_HOST_PORT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace forewarn::net {

// Where something listens.
struct HostPort {
  std::string host;  // a name or an address, IPv6 without brackets
  uint16_t port = 0;
};

// "host:port" or "[address]:port"; the port may be left out only where there
// is a `default_port`. kInvalidArgument otherwise.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text,
                                       uint16_t default_port = 0);

}  // namespace forewarn::net

#endif  // FOREWARN_PROTOS_NET_HOST_PORT_H_
