#ifndef FOREWARN_AGENT_SOURCES_NETWORK_INTERFACES_H_
#define FOREWARN_AGENT_SOURCES_NETWORK_INTERFACES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// The interfaces' half of NetworkSource: /proc/net/dev, /sys/class/net and
// /proc/net/wireless.
//
// Left out: lo and what the kernel makes up (bridges, veth, tun, VLANs, ifb):
// their traffic is that of the hardware below. Bonds are kept, for their
// state is nowhere else.
class NetworkInterfaces {
 public:
  enum Counter { kBytes, kPackets, kErrors, kDrops, kCounters };
  using Counters = std::array<std::array<uint64_t, kCounters>, 2>;

  // `files` must outlive it.
  explicit NetworkInterfaces(const HostFiles& files) : files_(files) {}

  absl::Status Sample(const SampleTime& now, ReadingSink& sink);

 private:
  struct Interface {
    std::string label;  // the name, cleaned
    bool watched = false;
    bool bond = false;
    bool has_before = false;
    Counters before{};
    uint64_t carrier_changes = 0;
    absl::Duration speed_due;    // when to ask for the speed again
    double bits_per_second = 0;  // 0 = unknown
    uint64_t seen = 0;
  };

  Interface Inspect(absl::string_view name) const;
  void SampleTraffic(const Counters& now, absl::Duration elapsed,
                     Interface& interface, ReadingSink& sink) const;
  void SampleLink(absl::string_view name, const SampleTime& now,
                  Interface& interface, ReadingSink& sink) const;
  void SampleBond(absl::string_view name, const Interface& interface,
                  ReadingSink& sink) const;
  void SampleWireless(ReadingSink& sink) const;

  const HostFiles& files_;
  absl::flat_hash_map<std::string, Interface> interfaces_;
  uint64_t reading_ = 0;
  absl::Duration last_since_boot_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_NETWORK_INTERFACES_H_
