#include "agent/sources/network_interfaces.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/sources/growth.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxInterfaces = 4096;  // a host of many containers; chosen
constexpr size_t kMaxName = 64;
constexpr double kMinPacketsPerSecond = 10;  // as the catalogue says
constexpr double kMaxWifiQuality = 70;       // cfg80211's scale
// The speed may come from the hardware; it changes only with the carrier.
constexpr absl::Duration kSpeedInterval = absl::Minutes(10);
constexpr uint64_t kInterfaceUp = 1;  // IFF_UP

constexpr const char* kDirections[2] = {"receive", "transmit"};
// Columns of /proc/net/dev after the name.
constexpr int kColumns = 16;
constexpr int kFirstColumn[2] = {0, 8};

std::string NetFolder(absl::string_view name) {
  return absl::StrCat("/sys/class/net/", name);
}

// "  eth0: 39266024 1011 0 0 ..."; the colon may touch the first number.
bool ParseLine(absl::string_view line, absl::string_view& name,
               NetworkInterfaces::Counters& counters) {
  const size_t colon = line.rfind(':');
  if (colon == absl::string_view::npos) return false;
  absl::string_view head = line.substr(0, colon);
  name = NextField(head);
  if (name.empty() || absl::StrContains(name, '/')) return false;
  absl::string_view rest = line.substr(colon + 1);
  for (int column = 0; column < kColumns; ++column) {
    uint64_t value = 0;
    if (!ParseCount(NextField(rest), value)) return false;
    for (int direction = 0; direction < 2; ++direction) {
      const int counter = column - kFirstColumn[direction];
      if (counter >= 0 && counter < NetworkInterfaces::kCounters) {
        counters[direction][counter] = value;
      }
    }
  }
  return true;
}

}  // namespace

absl::Status NetworkInterfaces::Sample(const SampleTime& now,
                                       ReadingSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(const std::string text,
                            files_.Read("/proc/net/dev"));
  const absl::Duration elapsed = now.since_boot - last_since_boot_;
  last_since_boot_ = now.since_boot;
  ++reading_;
  size_t readable = 0;
  size_t lines = 0;
  absl::string_view rest = text;
  absl::string_view line;
  while (NextLine(rest, line) && lines < kMaxInterfaces) {
    ++lines;
    if (lines <= 2) continue;  // two lines of headings
    absl::string_view name;
    Counters counters;
    if (!ParseLine(line, name, counters)) continue;
    ++readable;
    auto found = interfaces_.find(name);
    if (found == interfaces_.end()) {
      found = interfaces_.emplace(std::string(name), Inspect(name)).first;
    }
    Interface& interface = found->second;
    if (interface.seen == reading_) continue;  // a line that stands twice
    interface.seen = reading_;
    if (!interface.watched) continue;
    SampleLink(name, now, interface, sink);
    SampleTraffic(counters, elapsed, interface, sink);
    if (interface.bond) SampleBond(name, interface, sink);
  }
  absl::erase_if(interfaces_, [this](const auto& entry) {
    return entry.second.seen != reading_;
  });
  SampleWireless(sink);
  if (lines > 2 && readable == 0) {
    return absl::DataLossError("read /proc/net/dev: no readable line");
  }
  return absl::OkStatus();
}

NetworkInterfaces::Interface NetworkInterfaces::Inspect(
    absl::string_view name) const {
  Interface interface;
  interface.label = CleanText(name, kMaxName);
  const auto link = files_.ReadLink(NetFolder(name));
  if (!link.ok()) return interface;
  interface.bond = files_.Exists(absl::StrCat(NetFolder(name), "/bonding"));
  interface.watched =
      interface.bond || !absl::StrContains(*link, "/devices/virtual/");
  return interface;
}

void NetworkInterfaces::SampleTraffic(const Counters& now,
                                      absl::Duration elapsed,
                                      Interface& interface,
                                      ReadingSink& sink) const {
  const Counters before = interface.before;
  const bool has_before = interface.has_before;
  interface.before = now;
  interface.has_before = true;
  const double seconds = absl::ToDoubleSeconds(elapsed);
  for (int direction = 0; direction < 2; ++direction) {
    const auto accept = [&](absl::string_view metric, double value) {
      sink.Accept(metric,
                  {{"network.interface.name", interface.label},
                   {"network.io.direction", kDirections[direction]}},
                  value);
    };
    const auto& counters = now[direction];
    accept("system.network.io", static_cast<double>(counters[kBytes]));
    accept("system.network.packet.count",
           static_cast<double>(counters[kPackets]));
    accept("system.network.errors", static_cast<double>(counters[kErrors]));
    accept("system.network.packet.dropped",
           static_cast<double>(counters[kDrops]));
    if (!has_before || seconds <= 0) continue;
    const auto grown = [&](Counter counter) {
      return Growth(before[direction][counter], counters[counter]);
    };
    if (const auto bytes = grown(kBytes);
        bytes.has_value() && interface.bits_per_second > 0) {
      accept("forewarn.network.utilization",
             std::min(1.0, static_cast<double>(*bytes) * 8 / seconds /
                               interface.bits_per_second));
    }
    const auto packets = grown(kPackets);
    if (!packets.has_value() ||
        static_cast<double>(*packets) < kMinPacketsPerSecond * seconds) {
      continue;
    }
    const auto ratio = [&](uint64_t part) {
      return std::min(
          1.0, static_cast<double>(part) / static_cast<double>(*packets));
    };
    if (const auto errors = grown(kErrors)) {
      accept("forewarn.network.error.ratio", ratio(*errors));
    }
    if (const auto drops = grown(kDrops)) {
      accept("forewarn.network.drop.ratio", ratio(*drops));
    }
  }
}

void NetworkInterfaces::SampleLink(absl::string_view name,
                                   const SampleTime& now, Interface& interface,
                                   ReadingSink& sink) const {
  const std::string folder = NetFolder(name);
  const auto accept = [&](absl::string_view metric, double value) {
    sink.Accept(metric, {{"network.interface.name", interface.label}}, value);
  };
  const auto changes =
      files_.ReadNumber(absl::StrCat(folder, "/carrier_changes"));
  if (changes.ok() && *changes >= 0) {
    accept("forewarn.network.link.changes", *changes);
    const auto count = static_cast<uint64_t>(*changes);
    if (count != interface.carrier_changes) {
      interface.carrier_changes = count;
      interface.speed_due = absl::ZeroDuration();
    }
  }
  uint64_t flags = 0;
  const auto flags_text = files_.ReadLine(absl::StrCat(folder, "/flags"));
  if (!flags_text.ok() || !absl::SimpleHexAtoi(*flags_text, &flags) ||
      (flags & kInterfaceUp) == 0) {
    interface.bits_per_second = 0;
    interface.speed_due = absl::ZeroDuration();
    return;
  }
  const auto carrier = files_.ReadNumber(absl::StrCat(folder, "/carrier"));
  if (carrier.ok()) {
    accept("forewarn.network.link.up", *carrier != 0 ? 1 : 0);
  }
  if (now.since_boot >= interface.speed_due) {
    interface.speed_due = now.since_boot + kSpeedInterval;
    // -1 or an error where the driver does not know.
    const auto megabits = files_.ReadNumber(absl::StrCat(folder, "/speed"));
    interface.bits_per_second =
        megabits.ok() && *megabits > 0 ? *megabits * 1e6 : 0;
  }
  if (interface.bits_per_second > 0) {
    accept("forewarn.network.link.speed", interface.bits_per_second);
  }
}

void NetworkInterfaces::SampleBond(absl::string_view name,
                                   const Interface& interface,
                                   ReadingSink& sink) const {
  const std::string folder = NetFolder(name);
  const auto members = files_.ReadLine(absl::StrCat(folder, "/bonding/slaves"));
  if (!members.ok()) return;
  absl::string_view rest = *members;
  int inactive = 0;
  for (absl::string_view member = NextField(rest); !member.empty();
       member = NextField(rest)) {
    const auto state = files_.ReadLine(
        absl::StrCat(NetFolder(member), "/bonding_slave/mii_status"));
    if (state.ok() && *state != "up") ++inactive;
  }
  sink.Accept("forewarn.network.bond.inactive",
              {{"network.interface.name", interface.label}}, inactive);
}

void NetworkInterfaces::SampleWireless(ReadingSink& sink) const {
  const auto text = files_.Read("/proc/net/wireless");
  if (!text.ok()) return;
  absl::string_view rest = *text;
  absl::string_view line;
  while (NextLine(rest, line)) {
    // " wlan0: 0000   54.  -56.  -256 ..."
    absl::string_view name = NextField(line);
    if (!absl::ConsumeSuffix(&name, ":")) continue;
    const auto interface = interfaces_.find(name);
    if (interface == interfaces_.end() || !interface->second.watched) continue;
    NextField(line);  // status
    absl::string_view quality = NextField(line);
    absl::ConsumeSuffix(&quality, ".");
    uint64_t value = 0;
    if (!ParseCount(quality, value)) continue;
    sink.Accept("forewarn.network.wifi.quality",
                {{"network.interface.name", interface->second.label}},
                std::min(1.0, static_cast<double>(value) / kMaxWifiQuality));
  }
}

}  // namespace forewarn::agent
