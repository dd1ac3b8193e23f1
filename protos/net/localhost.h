#ifndef FOREWARN_PROTOS_NET_LOCALHOST_H_
#define FOREWARN_PROTOS_NET_LOCALHOST_H_

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace forewarn::net {

// Whether the name is this machine by definition (RFC 6761, section 6.3): no
// resolver is to be asked, and not every system's files know it.
inline bool IsLocalhost(absl::string_view name) {
  return absl::EqualsIgnoreCase(name, "localhost") ||
         absl::EndsWithIgnoreCase(name, ".localhost");
}

// Where it listens, in the order to try.
inline constexpr const char* kLoopback[] = {"127.0.0.1", "::1"};

}  // namespace forewarn::net

#endif  // FOREWARN_PROTOS_NET_LOCALHOST_H_
