#ifndef FOREWARN_PROTOS_NET_SOCKET_ADDRESS_H_
#define FOREWARN_PROTOS_NET_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace forewarn::net {

// An IPv4 or IPv6 address, with a port where one matters.
struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t length = 0;

  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  int family() const { return storage.ss_family; }
};

// "192.0.2.1", "fe80::1%eth0"; without the port.
std::string ToText(const SocketAddress& address);

// Of a literal address; nothing when `host` is a name.
std::optional<SocketAddress> ParseAddress(absl::string_view host,
                                          uint16_t port);

// The addresses of `host` in the system's order; waits for the resolver, with
// no time-out but its own. At most 8. Localhost is known without asking.
absl::StatusOr<std::vector<SocketAddress>> LookUp(const std::string& host,
                                                  uint16_t port);

}  // namespace forewarn::net

#endif  // FOREWARN_PROTOS_NET_SOCKET_ADDRESS_H_
