#ifndef FOREWARN_AGENT_SOURCES_ICMP_PING_H_
#define FOREWARN_AGENT_SOURCES_ICMP_PING_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protos/net/socket_address.h"

namespace forewarn::agent {

// One ICMP echo and its round trip; waits for the answer at most `timeout`.
// IPv4 and IPv6, by an unprivileged ICMP socket where the system permits it,
// else by a raw one.
//
// Errors   kDeadlineExceeded: no answer. kUnavailable: no way there.
//          kUnimplemented: ICMP sockets are not permitted here.
// Threads  thread-safe; each call has a socket of its own.
absl::StatusOr<absl::Duration> Ping(const net::SocketAddress& address,
                                    absl::Duration timeout);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_ICMP_PING_H_
