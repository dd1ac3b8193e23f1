#include "agent/sources/resolver_source.h"

#include <chrono>
#include <optional>
#include <utility>

#include "protos/net/host_port.h"
#include "protos/net/localhost.h"
#include "protos/net/socket_address.h"

namespace forewarn::agent {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(5);

bool NeedsResolver(const std::string& host) {
  return !host.empty() && !net::IsLocalhost(host) &&
         !net::ParseAddress(host, 0).has_value();
}

}  // namespace

std::string ResolverName(const v1::AgentConfig& config) {
  for (const std::string& collector : config.collectors()) {
    const absl::StatusOr<net::HostPort> place = net::ParseHostPort(collector);
    if (place.ok() && NeedsResolver(place->host)) return place->host;
  }
  for (const v1::ProbeConfig& probe : config.probes()) {
    if (probe.type() == "dns" && NeedsResolver(probe.target())) {
      return probe.target();
    }
  }
  return "";
}

ResolverSource::ResolverSource(std::string name)
    : ResolverSource(
          std::move(name),
          [](const std::string& host) { return net::LookUp(host, 0).status(); },
          kTimeout) {}

ResolverSource::ResolverSource(std::string name, LookUpFunction look_up,
                               absl::Duration timeout)
    : host_(std::move(name)), look_up_(std::move(look_up)), timeout_(timeout) {}

absl::Status ResolverSource::Sample(const SampleTime& /*now*/,
                                    ReadingSink& sink) {
  if (host_.empty()) {
    return absl::NotFoundError("ask the resolver: no name is used");
  }
  std::optional<absl::StatusOr<absl::Duration>> result;
  // A look-up that still hangs is no answer either.
  if (call_.Start([look_up = look_up_,
                   host = host_]() -> absl::StatusOr<absl::Duration> {
        const auto begin = std::chrono::steady_clock::now();
        const absl::Status status = look_up(host);
        if (!status.ok()) return status;
        return absl::FromChrono(std::chrono::steady_clock::now() - begin);
      })) {
    result = call_.Wait(timeout_);
  }
  const bool is_up = result.has_value() && result->ok();
  sink.Accept("forewarn.resolver.up", is_up ? 1 : 0);
  if (is_up) {
    sink.Accept("forewarn.resolver.duration", absl::ToDoubleSeconds(**result));
  }
  return absl::OkStatus();
}

}  // namespace forewarn::agent
