#include "protos/net/tcp_connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protos/base/status.h"

namespace forewarn::net {

absl::Status AwaitReady(int fd, short events, base::Deadline deadline,
                        int interrupt) {
  constexpr int64_t kLongest = 3600000;
  for (;;) {
    pollfd waiting[] = {{fd, events, 0}, {interrupt, POLLIN, 0}};
    const int64_t left = absl::ToInt64Milliseconds(
        absl::Ceil(deadline.Left(), absl::Milliseconds(1)));
    const int ready =
        poll(waiting, 2, static_cast<int>(std::min(left, kLongest)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return base::ErrnoStatus(errno, "poll");
    if (waiting[1].revents != 0) return absl::CancelledError("interrupted");
    if (ready > 0) return absl::OkStatus();
    if (left <= kLongest)
      return absl::DeadlineExceededError("no answer in time");
  }
}

absl::StatusOr<base::Descriptor> TcpConnect(const SocketAddress& address,
                                            base::Deadline deadline,
                                            int interrupt) {
  const std::string deed = absl::StrCat("connect to ", ToText(address));
  base::Descriptor socket(::socket(
      address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return base::ErrnoStatus(errno, deed);
  const int one = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (connect(socket.get(), address.get(), address.length) == 0) return socket;
  if (errno != EINPROGRESS) return base::ErrnoStatus(errno, deed);
  const absl::Status ready =
      AwaitReady(socket.get(), POLLOUT, deadline, interrupt);
  if (!ready.ok()) {
    return absl::Status(ready.code(),
                        absl::StrCat(deed, ": ", ready.message()));
  }
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return base::ErrnoStatus(error, deed);
  return socket;
}

}  // namespace forewarn::net
