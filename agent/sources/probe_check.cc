#include "agent/sources/probe_check.h"

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/sources/icmp_ping.h"
#include "protos/base/deadline.h"
#include "protos/net/host_port.h"
#include "protos/net/socket_address.h"
#include "protos/net/tcp_connect.h"

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
    result.status = net::LookUp(name_, 0).status();
    result.duration = absl::FromChrono(Clock::now() - begin);
    return result;
  }

 private:
  const std::string name_;
};

class TcpCheck final : public ProbeCheck {
 public:
  TcpCheck(std::string target, absl::Duration timeout)
      : target_(std::move(target)), timeout_(timeout) {}

  ProbeResult Run() override {
    const absl::StatusOr<net::HostPort> place = net::ParseHostPort(target_);
    if (!place.ok()) return Failed(place.status());
    const Clock::time_point begin = Clock::now();
    const base::Deadline deadline(timeout_);
    const auto addresses = net::LookUp(place->host, place->port);
    if (!addresses.ok()) return Failed(addresses.status());
    ProbeResult result;
    for (const net::SocketAddress& address : *addresses) {
      result.status = net::TcpConnect(address, deadline).status();
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
    const auto addresses = net::LookUp(host_, 0);
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
