#include "agent/sources/icmp_ping.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

using Clock = std::chrono::steady_clock;

// Type, code, checksum, identifier, sequence; the same for both families.
constexpr size_t kHeaderBytes = 8;
constexpr size_t kNonceBytes = 16;
using Echo = std::array<unsigned char, kHeaderBytes + kNonceBytes>;

struct Socket {
  int fd = -1;
  bool is_raw = false;
  ~Socket() {
    if (fd >= 0) close(fd);
  }
};

// RFC 1071.
uint16_t Checksum(const Echo& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(bytes[i]) << 8 | bytes[i + 1];
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// The nonce tells the answer from those to others; a datagram socket also
// sets an identifier and sorts by it.
bool MakeEcho(bool is_v6, Echo& echo) {
  echo.fill(0);
  if (getrandom(echo.data() + 4, echo.size() - 4, 0) !=
      static_cast<ssize_t>(echo.size() - 4)) {
    return false;
  }
  echo[0] = is_v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
  if (!is_v6) {  // the kernel does it for IPv6
    const uint16_t sum = Checksum(echo);
    echo[2] = static_cast<unsigned char>(sum >> 8);
    echo[3] = static_cast<unsigned char>(sum & 0xff);
  }
  return true;
}

absl::Status OpenSocket(bool is_v6, Socket& out) {
  const int family = is_v6 ? AF_INET6 : AF_INET;
  const int protocol =
      is_v6 ? static_cast<int>(IPPROTO_ICMPV6) : static_cast<int>(IPPROTO_ICMP);
  const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  out.fd = socket(family, SOCK_DGRAM | flags, protocol);
  if (out.fd >= 0) return absl::OkStatus();
  out.fd = socket(family, SOCK_RAW | flags, protocol);
  out.is_raw = true;
  if (out.fd >= 0) return absl::OkStatus();
  if (errno == EPERM || errno == EACCES || errno == EPROTONOSUPPORT ||
      errno == EAFNOSUPPORT) {
    return absl::UnimplementedError(
        "open an ICMP socket: the system does not permit it");
  }
  return base::ErrnoStatus(errno, "open an ICMP socket");
}

// Whether `packet` is the answer to `sent`. A raw IPv4 socket gives the IP
// header too.
bool IsAnswer(absl::string_view packet, const Echo& sent, bool is_v6,
              bool is_raw) {
  if (is_raw && !is_v6) {
    if (packet.empty()) return false;
    const size_t header = (static_cast<unsigned char>(packet[0]) & 0xf) * 4u;
    if (packet.size() < header) return false;
    packet.remove_prefix(header);
  }
  if (packet.size() < sent.size()) return false;
  const auto type = static_cast<unsigned char>(packet[0]);
  return type == (is_v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) &&
         std::memcmp(packet.data() + kHeaderBytes, sent.data() + kHeaderBytes,
                     kNonceBytes) == 0;
}

bool IsUnreachable(int error) {
  return error == EHOSTUNREACH || error == ENETUNREACH ||
         error == ECONNREFUSED || error == EHOSTDOWN || error == ENETDOWN;
}

}  // namespace

absl::StatusOr<absl::Duration> Ping(const net::SocketAddress& address,
                                    absl::Duration timeout) {
  const bool is_v6 = address.family() == AF_INET6;
  Socket socket;
  FOREWARN_RETURN_IF_ERROR(OpenSocket(is_v6, socket));
  const std::string deed = absl::StrCat("ping ", net::ToText(address));
  Echo echo;
  if (!MakeEcho(is_v6, echo)) return base::ErrnoStatus(errno, deed);

  const Clock::time_point sent = Clock::now();
  const Clock::time_point deadline = sent + absl::ToChronoNanoseconds(timeout);
  if (sendto(socket.fd, echo.data(), echo.size(), MSG_NOSIGNAL, address.get(),
             address.length) < 0) {
    if (errno == EPERM) {  // a firewall of this machine
      return absl::UnavailableError(absl::StrCat(deed, ": not permitted"));
    }
    return IsUnreachable(errno)
               ? absl::UnavailableError(absl::StrCat(deed, ": no way there"))
               : base::ErrnoStatus(errno, deed);
  }
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - Clock::now());
    struct pollfd ready = {.fd = socket.fd, .events = POLLIN, .revents = 0};
    const int count = left.count() <= 0
                          ? 0
                          : poll(&ready, 1, static_cast<int>(left.count()) + 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::ErrnoStatus(errno, deed);
    if (count == 0) {
      return absl::DeadlineExceededError(absl::StrCat(deed, ": no answer"));
    }
    char packet[1500];
    const ssize_t length = recv(socket.fd, packet, sizeof(packet), 0);
    const Clock::time_point received = Clock::now();
    if (length < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return IsUnreachable(errno)
                 ? absl::UnavailableError(absl::StrCat(deed, ": no way there"))
                 : base::ErrnoStatus(errno, deed);
    }
    if (IsAnswer({packet, static_cast<size_t>(length)}, echo, is_v6,
                 socket.is_raw)) {
      return absl::FromChrono(received - sent);
    }
  }
}

}  // namespace forewarn::agent
