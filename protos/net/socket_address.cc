#include "protos/net/socket_address.h"

#include <netdb.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "protos/net/localhost.h"
#include "protos/base/status.h"

namespace forewarn::net {
namespace {

constexpr size_t kMaxAddresses = 8;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

int Ask(const std::string& host, uint16_t port, int flags,
        std::vector<SocketAddress>& out) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  const int result =
      getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &raw);
  if (result != 0) return result;
  const std::unique_ptr<addrinfo, FreeAddresses> list(raw);
  for (const addrinfo* at = raw; at != nullptr && out.size() < kMaxAddresses;
       at = at->ai_next) {
    SocketAddress address;
    if (at->ai_addrlen > sizeof(address.storage)) continue;
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.length = at->ai_addrlen;
    out.push_back(address);
  }
  return 0;
}

}  // namespace

std::string ToText(const SocketAddress& address) {
  char text[NI_MAXHOST];
  if (getnameinfo(address.get(), address.length, text, sizeof(text), nullptr, 0,
                  NI_NUMERICHOST) != 0) {
    return "(no address)";
  }
  return text;
}

std::optional<SocketAddress> ParseAddress(absl::string_view host,
                                          uint16_t port) {
  std::vector<SocketAddress> found;
  if (host.empty() ||
      Ask(std::string(host), port, AI_NUMERICHOST, found) != 0 ||
      found.empty()) {
    return std::nullopt;
  }
  return found.front();
}

absl::StatusOr<std::vector<SocketAddress>> LookUp(const std::string& host,
                                                  uint16_t port) {
  const std::string deed = absl::StrCat("look up ", host);
  if (host.empty()) return absl::InvalidArgumentError("look up: no name");
  std::vector<SocketAddress> found;
  if (IsLocalhost(host)) {
    for (const char* address : kLoopback) {
      if (Ask(address, port, AI_NUMERICHOST, found) != 0) break;
    }
    return found;
  }
  const int result = Ask(host, port, AI_ADDRCONFIG, found);
  switch (result) {
    case 0:
      return found;
    case EAI_NONAME:
    case EAI_NODATA:
      return absl::NotFoundError(
          absl::StrCat(deed, ": the name has no address"));
    case EAI_SYSTEM:
      return base::ErrnoStatus(errno, deed);
    default:
      return absl::UnavailableError(
          absl::StrCat(deed, ": ", gai_strerror(result)));
  }
}

}  // namespace forewarn::net
