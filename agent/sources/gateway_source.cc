#include "agent/sources/gateway_source.h"

#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "agent/sources/text.h"

namespace forewarn::agent {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(1);
constexpr absl::Duration kWindow = absl::Seconds(30);
constexpr uint32_t kUpAndGateway = RTF_UP | RTF_GATEWAY;

bool Hex(absl::string_view text, uint32_t& value) {
  return absl::SimpleHexAtoi(text, &value);
}

net::SocketAddress FromV4(uint32_t network_order) {
  sockaddr_in in = {};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = network_order;
  net::SocketAddress address;
  std::memcpy(&address.storage, &in, sizeof(in));
  address.length = sizeof(in);
  return address;
}

// "eth0 00000000 010200C0 0003 0 0 100 00000000 ...": numbers as they lie in
// memory.
std::optional<net::SocketAddress> V4Gateway(absl::string_view routes) {
  std::optional<net::SocketAddress> found;
  uint64_t lowest = 0;
  absl::string_view line;
  while (NextLine(routes, line)) {
    std::array<absl::string_view, 8> fields;
    uint32_t destination = 0, gateway = 0, flags = 0, mask = 0;
    uint64_t metric = 0;
    if (SplitFields(line, fields) < fields.size() ||
        !Hex(fields[1], destination) || !Hex(fields[2], gateway) ||
        !Hex(fields[3], flags) || !ParseCount(fields[6], metric) ||
        !Hex(fields[7], mask)) {
      continue;
    }
    if (destination != 0 || mask != 0 || gateway == 0 ||
        (flags & kUpAndGateway) != kUpAndGateway) {
      continue;
    }
    if (found.has_value() && metric >= lowest) continue;
    lowest = metric;
    found = FromV4(gateway);
  }
  return found;
}

// Destination, its length, source, its length, next hop, metric, references,
// use, flags, interface.
std::optional<net::SocketAddress> V6Gateway(absl::string_view routes) {
  std::optional<net::SocketAddress> found;
  uint32_t lowest = 0;
  absl::string_view line;
  while (NextLine(routes, line)) {
    std::array<absl::string_view, 10> fields;
    uint32_t length = 0, metric = 0, flags = 0;
    if (SplitFields(line, fields) < fields.size() || !Hex(fields[1], length) ||
        !Hex(fields[5], metric) || !Hex(fields[8], flags) ||
        fields[4].size() != 32 ||
        !std::all_of(fields[4].begin(), fields[4].end(),
                     [](unsigned char c) { return absl::ascii_isxdigit(c); })) {
      continue;
    }
    const std::string next_hop = absl::HexStringToBytes(fields[4]);
    if (length != 0 || (flags & kUpAndGateway) != kUpAndGateway ||
        next_hop == std::string(16, '\0')) {
      continue;
    }
    if (found.has_value() && metric >= lowest) continue;
    lowest = metric;
    sockaddr_in6 in = {};
    in.sin6_family = AF_INET6;
    std::memcpy(&in.sin6_addr, next_hop.data(), sizeof(in.sin6_addr));
    if (IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr)) {
      in.sin6_scope_id = if_nametoindex(std::string(fields[9]).c_str());
    }
    net::SocketAddress address;
    std::memcpy(&address.storage, &in, sizeof(in));
    address.length = sizeof(in);
    found = address;
  }
  return found;
}

}  // namespace

std::optional<net::SocketAddress> DefaultGateway(absl::string_view route,
                                                 absl::string_view ipv6_route) {
  const std::optional<net::SocketAddress> v4 = V4Gateway(route);
  return v4.has_value() ? v4 : V6Gateway(ipv6_route);
}

GatewaySource::GatewaySource(const HostFiles& files, PingFunction ping)
    : files_(files), ping_(std::move(ping)) {}

absl::Status GatewaySource::Sample(const SampleTime& now, ReadingSink& sink) {
  const auto v4 = files_.Read("/proc/net/route");
  const auto v6 = files_.Read("/proc/net/ipv6_route");
  const std::optional<net::SocketAddress> gateway =
      DefaultGateway(v4.ok() ? *v4 : "", v6.ok() ? *v6 : "");
  if (!gateway.has_value()) {
    return absl::NotFoundError("ping the gateway: there is none");
  }
  const std::string address = net::ToText(*gateway);
  if (address != address_) {
    address_ = address;
    has_answered_ = false;
    recent_.clear();
  }
  const absl::StatusOr<absl::Duration> round_trip = ping_(*gateway, kTimeout);
  if (absl::IsUnimplemented(round_trip.status())) return round_trip.status();
  has_answered_ |= round_trip.ok();
  if (!has_answered_) return absl::OkStatus();

  recent_.emplace_back(now.since_boot, round_trip.ok());
  while (now.since_boot - recent_.front().first >= kWindow) {
    recent_.pop_front();
  }
  const auto lost =
      std::count_if(recent_.begin(), recent_.end(),
                    [](const auto& ping) { return !ping.second; });
  sink.Accept("forewarn.gateway.reachable", {{"server.address", address_}},
              round_trip.ok() ? 1 : 0);
  sink.Accept("forewarn.gateway.loss", {{"server.address", address_}},
              static_cast<double>(lost) / static_cast<double>(recent_.size()));
  if (round_trip.ok()) {
    sink.Accept("forewarn.gateway.rtt", {{"server.address", address_}},
                absl::ToDoubleSeconds(*round_trip));
  }
  return absl::OkStatus();
}

}  // namespace forewarn::agent
