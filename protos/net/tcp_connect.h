#ifndef FOREWARN_PROTOS_NET_TCP_CONNECT_H_
#define FOREWARN_PROTOS_NET_TCP_CONNECT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/base/deadline.h"
#include "protos/base/descriptor.h"
#include "protos/net/socket_address.h"

namespace forewarn::net {

inline constexpr int kNoInterrupt = -1;

// Until `fd` is ready for `events` of poll(2). kDeadlineExceeded; kCancelled
// when `interrupt`, an eventfd, becomes readable.
absl::Status AwaitReady(int fd, short events, base::Deadline deadline,
                        int interrupt = kNoInterrupt);

// A socket that does not block, connected. Also kUnavailable and others by
// what the network says.
absl::StatusOr<base::Descriptor> TcpConnect(const SocketAddress& address,
                                            base::Deadline deadline,
                                            int interrupt = kNoInterrupt);

}  // namespace forewarn::net

#endif  // FOREWARN_PROTOS_NET_TCP_CONNECT_H_
