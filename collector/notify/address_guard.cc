#include "collector/notify/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>

namespace forewarn::notify {
namespace {

struct Network {
  uint32_t address;
  int bits;
};

// IANA's IPv4 special-purpose registry (RFC 6890), without loopback.
constexpr Network kSpecial[] = {
    {0x00000000, 8},   // this network
    {0x0a000000, 8},   // private
    {0x64400000, 10},  // shared by providers
    {0xa9fe0000, 16},  // link-local, cloud metadata
    {0xac100000, 12},  // private
    {0xc0000000, 24},  // protocol assignments
    {0xc0000200, 24},  // documentation
    {0xc0a80000, 16},  // private
    {0xc6120000, 15},  // benchmarking
    {0xc6336400, 24},  // documentation
    {0xcb007100, 24},  // documentation
    {0xe0000000, 3},   // multicast, reserved, broadcast
};

AddressKind KindOfIpv4(uint32_t address) {
  if (address >> 24 == 127) return AddressKind::kLoopback;
  const bool special = std::any_of(
      std::begin(kSpecial), std::end(kSpecial),
      [address](const Network& network) {
        return (address ^ network.address) >> (32 - network.bits) == 0;
      });
  return special ? AddressKind::kPrivate : AddressKind::kPublic;
}

uint32_t Ipv4At(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) << 24 |
         static_cast<uint32_t>(bytes[1]) << 16 |
         static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
}

AddressKind KindOfIpv6(const in6_addr& address) {
  const uint8_t* bytes = address.s6_addr;
  if (IN6_IS_ADDR_LOOPBACK(&address)) return AddressKind::kLoopback;
  if (IN6_IS_ADDR_V4MAPPED(&address)) return KindOfIpv4(Ipv4At(bytes + 12));
  constexpr uint8_t kTranslated[12] = {0x00, 0x64, 0xff, 0x9b};  // 64:ff9b::
  if (std::memcmp(bytes, kTranslated, sizeof(kTranslated)) == 0) {
    return KindOfIpv4(Ipv4At(bytes + 12));
  }
  if (bytes[0] == 0x20 && bytes[1] == 0x02) {  // 2002::, 6to4
    return KindOfIpv4(Ipv4At(bytes + 2));
  }
  const bool documentation = Ipv4At(bytes) == 0x20010db8;
  const bool global_unicast = (bytes[0] & 0xe0) == 0x20;  // 2000::/3
  return global_unicast && !documentation ? AddressKind::kPublic
                                          : AddressKind::kPrivate;
}

}  // namespace

AddressKind KindOf(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in ipv4;
    std::memcpy(&ipv4, address, sizeof(ipv4));
    return KindOfIpv4(ntohl(ipv4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 ipv6;
    std::memcpy(&ipv6, address, sizeof(ipv6));
    return KindOfIpv6(ipv6.sin6_addr);
  }
  return AddressKind::kPrivate;
}

bool IsLoopbackName(absl::string_view host) {
  if (host == "localhost" || host == "::1" || host == "[::1]") return true;
  in_addr address;
  return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 &&
         KindOfIpv4(ntohl(address.s_addr)) == AddressKind::kLoopback;
}

void AddressGuard::Watch(CURL* curl) {
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &AddressGuard::Open);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, this);
}

curl_socket_t AddressGuard::Open(void* guard, curlsocktype,
                                 curl_sockaddr* address) {
  AddressGuard& self = *static_cast<AddressGuard*>(guard);
  const AddressKind kind = KindOf(&address->addr);
  const bool allowed = self.allow_private_ || kind == AddressKind::kPublic ||
                       (kind == AddressKind::kLoopback && self.allow_loopback_);
  if (!allowed) {
    self.refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC,
                address->protocol);
}

}  // namespace forewarn::notify
