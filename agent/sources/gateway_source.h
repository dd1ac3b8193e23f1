#ifndef FOREWARN_AGENT_SOURCES_GATEWAY_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_GATEWAY_SOURCE_H_

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"
#include "agent/sources/icmp_ping.h"
#include "agent/sources/source.h"
#include "protos/net/socket_address.h"

namespace forewarn::agent {

// The gateway of the default route with the lowest metric, as the texts of
// /proc/net/route and /proc/net/ipv6_route have it; IPv4 first. Nothing
// without one.
std::optional<net::SocketAddress> DefaultGateway(absl::string_view route,
                                                 absl::string_view ipv6_route);

// forewarn.gateway.*: one ping each tick. Nothing is said of a gateway that
// has never answered: many do not answer pings. kNotFound without a gateway,
// kUnimplemented where ICMP sockets are not permitted.
class GatewaySource final : public Source {
 public:
  using PingFunction = std::function<absl::StatusOr<absl::Duration>(
      const net::SocketAddress& address, absl::Duration timeout)>;

  // `files` must outlive it.
  explicit GatewaySource(const HostFiles& files, PingFunction ping = Ping);

  absl::string_view name() const override { return "gateway"; }
  bool may_block() const override { return true; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  const HostFiles& files_;
  const PingFunction ping_;
  std::string address_;
  bool has_answered_ = false;
  std::deque<std::pair<absl::Duration, bool>> recent_;  // of the last 30 s
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_GATEWAY_SOURCE_H_
