#include "agent/sources/probe_check.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/sources/icmp_ping.h"
#include "agent/sources/socket_address.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

using Clock = std::chrono::steady_clock;

ProbeResult Failed(absl::Status status) {
  ProbeResult result;
  result.status = std::move(status);
  return result;
}

class DnsCheck final : public ProbeCheck {
 public:
  explicit DnsCheck(std::string name) : name_(std::move(name)) {}

  ProbeResult Run() override {
    const Clock::time_point begin = Clock::now();
    ProbeResult result;
    result.status = LookUp(name_, 0).status();
    result.duration = absl::FromChrono(Clock::now() - begin);
    return result;
  }

 private:
  const std::string name_;
};

absl::Status Connect(const SocketAddress& address, Clock::time_point deadline) {
  struct Socket {
    int fd;
    ~Socket() {
      if (fd >= 0) close(fd);
    }
  } const socket{::socket(address.family(),
                          SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const std::string deed = absl::StrCat("connect to ", ToText(address));
  if (socket.fd < 0) return base::ErrnoStatus(errno, deed);
  if (connect(socket.fd, address.get(), address.length) == 0) {
    return absl::OkStatus();
  }
  if (errno != EINPROGRESS) return base::ErrnoStatus(errno, deed);
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - Clock::now());
    struct pollfd ready = {.fd = socket.fd, .events = POLLOUT, .revents = 0};
    const int count = left.count() <= 0
                          ? 0
                          : poll(&ready, 1, static_cast<int>(left.count()) + 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::ErrnoStatus(errno, deed);
    if (count == 0) {
      return absl::DeadlineExceededError(absl::StrCat(deed, ": no answer"));
    }
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error == 0 ? absl::OkStatus() : base::ErrnoStatus(error, deed);
  }
}

class TcpCheck final : public ProbeCheck {
 public:
  TcpCheck(std::string target, absl::Duration timeout)
      : target_(std::move(target)), timeout_(timeout) {}

  ProbeResult Run() override {
    const absl::StatusOr<HostPort> place = ParseHostPort(target_);
    if (!place.ok()) return Failed(place.status());
    const Clock::time_point begin = Clock::now();
    const Clock::time_point deadline =
        begin + absl::ToChronoNanoseconds(timeout_);
    const auto addresses = LookUp(place->host, place->port);
    if (!addresses.ok()) return Failed(addresses.status());
    ProbeResult result;
    for (const SocketAddress& address : *addresses) {
      result.status = Connect(address, deadline);
      if (result.status.ok()) break;
    }
    result.duration = absl::FromChrono(Clock::now() - begin);
    return result;
  }

 private:
  const std::string target_;
  const absl::Duration timeout_;
};

class PingCheck final : public ProbeCheck {
 public:
  PingCheck(std::string host, absl::Duration timeout)
      : host_(std::move(host)), timeout_(timeout) {}

  ProbeResult Run() override {
    const Clock::time_point begin = Clock::now();
    const auto addresses = LookUp(host_, 0);
    if (!addresses.ok()) return Failed(addresses.status());
    const absl::Duration left =
        timeout_ - absl::FromChrono(Clock::now() - begin);
    const auto round_trip = Ping(addresses->front(), left);
    if (!round_trip.ok()) return Failed(round_trip.status());
    ProbeResult result;
    result.duration = *round_trip;
    return result;
  }

 private:
  const std::string host_;
  const absl::Duration timeout_;
};

}  // namespace

std::unique_ptr<ProbeCheck> MakeProbeCheck(absl::string_view type,
                                           const std::string& target,
                                           absl::Duration timeout) {
  if (type == "dns") return std::make_unique<DnsCheck>(target);
  if (type == "tcp") return std::make_unique<TcpCheck>(target, timeout);
  if (type == "http") return MakeHttpCheck(target, timeout);
  if (type == "ping") return std::make_unique<PingCheck>(target, timeout);
  return nullptr;
}

}  // namespace forewarn::agent
