#include "tests/fleetsim/mishap.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "tests/fleetsim/draw.h"

namespace forewarn::fleetsim {
namespace {

using absl::string_view;

constexpr double kHours = 60;
constexpr double kDays = 24 * 60;

// Of 1,000 machines in 28 days; chosen so that every cause is seen.
constexpr double kSingleFaults = 150;
constexpr double kLookAlikes = 156;
constexpr double kCommonEach = 2;
constexpr size_t kFewestWired = 8;

bool Wired(const Machine& machine) { return machine.wired_to != 0; }

// Whether it can happen there.
bool Fits(Cause cause, const Machine& machine) {
  switch (cause) {
    case Cause::kCertificate:
    case Cause::kRenewal:
      return machine.has_certificate;
    case Cause::kCrashLoop:
    case Cause::kDeploy:
      return machine.has_probe;
    case Cause::kBattery:
    case Cause::kWalkAway:
    case Cause::kWeakWifi:
      return machine.battery;
    case Cause::kFlakyNetwork:
      return Wired(machine);
    case Cause::kLongBatch:
      return machine.work == Work::kBatch || machine.work == Work::kDatabase;
    case Cause::kBuild:
    case Cause::kHotDay:
      return machine.person();
    case Cause::kRaidCheck:
    case Cause::kGrownDisk:
      return machine.data_bytes > 0;
    case Cause::kInodes:
      return machine.kind != v1::ENDPOINT_CLASS_DEVICE;
    default:
      return true;
  }
}

double SpanOf(Cause cause, Draw& draw) {
  switch (cause) {
    case Cause::kDiskFill:
    case Cause::kInodes:
      return draw.LogBetween(2 * kHours, 6 * kDays);
    case Cause::kLeak:
      return draw.LogBetween(2 * kHours, 5 * kDays);
    case Cause::kRunaway:
      return draw.LogBetween(1 * kHours, 10 * kHours);
    case Cause::kFailingDisk:
      return draw.LogBetween(12 * kHours, 8 * kDays);
    case Cause::kThrottling:
      return draw.LogBetween(6 * kHours, 6 * kDays);
    case Cause::kFlakyNetwork:
      return draw.LogBetween(2 * kHours, 3 * kDays);
    case Cause::kCertificate:
      return draw.Between(15 * kDays, 20 * kDays);
    case Cause::kClockDrift:
      return draw.LogBetween(8 * kHours, 4 * kDays);
    case Cause::kBattery:
      return draw.Between(8 * kDays, 20 * kDays);
    case Cause::kCrashLoop:
      return draw.LogBetween(40, 8 * kHours);
    case Cause::kSwitchDown:
      return draw.Between(30, 120);
    case Cause::kDnsOutage:
      return draw.Between(40, 120);
    case Cause::kBadUpdate:
      return draw.LogBetween(3 * kHours, 1 * kDays);
    case Cause::kBigCopy:
      return draw.Between(60, 240);
    case Cause::kCacheWarm:
      return draw.Between(4 * kHours, 20 * kHours);
    case Cause::kLongBatch:
      return draw.Between(2 * kHours, 5 * kHours);
    case Cause::kBuild:
      return draw.Between(20, 60);
    case Cause::kReboot:
      return draw.Between(2, 10);
    case Cause::kWalkAway:
      return draw.Between(1 * kHours, 14 * kHours);
    case Cause::kDnsBlip:
      return draw.Between(1, 2.5);
    case Cause::kRenewal:
      return draw.Between(4 * kDays, 20 * kDays);
    case Cause::kDeploy:
      return 10;
    case Cause::kClockStep:
      return draw.Between(5, 12);
    case Cause::kHotDay:
      return 9 * kHours;
    case Cause::kRaidCheck:
      return draw.Between(2 * kHours, 6 * kHours);
    case Cause::kWeakWifi:
      return draw.Between(20, 90);
    default:
      return 14 * kDays;
  }
}

class Planner {
 public:
  Planner(absl::Span<const Machine> fleet, Minute length, uint64_t seed)
      : fleet_(fleet),
        length_(length),
        draw_(seed * 7919 + 17),
        taken_(fleet.size()) {}

  std::vector<Mishap> Plan() {
    const double scale = static_cast<double>(fleet_.size()) / 1000 *
                         static_cast<double>(length_) / (28.0 * kDay);
    const auto times = [scale](double of_1000) {
      return static_cast<int>(std::lround(std::ceil(of_1000 * scale)));
    };
    for (int i = 0; i < times(kCommonEach); ++i) {
      SwitchDown();
      AtASite(Cause::kDnsOutage);
      BadUpdate();
      AtASite(Cause::kDnsBlip);
    }
    Singles(Cause::kDiskFill, Cause::kSwitchDown, times(kSingleFaults));
    Singles(Cause::kBigCopy,
            static_cast<Cause>(static_cast<int>(Cause::kGrownDisk) + 1),
            times(kLookAlikes));
    return std::move(mishaps_);
  }

 private:
  Mishap Make(Cause cause) {
    Mishap mishap;
    mishap.cause = cause;
    mishap.span = SpanOf(cause, draw_);
    mishap.shape = static_cast<int>(draw_.Below(4));
    mishap.size = draw_.Between(0.5, 1.5);
    return mishap;
  }

  // Any minute that leaves some time to see what comes of it.
  Minute AnyStart() {
    return static_cast<Minute>(
        draw_.Between(3.0 * kHour, static_cast<double>(length_) * 0.93));
  }

  void Singles(Cause first, Cause end, int count) {
    std::vector<Cause> causes;
    for (int i = static_cast<int>(first); i < static_cast<int>(end); ++i) {
      if (!IsCommon(static_cast<Cause>(i))) {
        causes.push_back(static_cast<Cause>(i));
      }
    }
    for (int i = 0; i < count; ++i) {
      Single(causes[static_cast<size_t>(i) % causes.size()]);
    }
  }

  void Single(Cause cause) {
    for (int tries = 0; tries < 1000; ++tries) {
      const uint32_t number = draw_.Below(static_cast<uint32_t>(fleet_.size()));
      const Machine& machine = fleet_[number];
      if (taken_[number] || !Fits(cause, machine)) continue;
      taken_[number] = true;
      Mishap mishap = Make(cause);
      mishap.data = machine.data_bytes > 0 && draw_.Chance(0.5);
      if (cause == Cause::kGrownDisk) mishap.data = true;
      Minute start = AnyStart();
      // A state of the machine rather than something that befalls it.
      if (cause == Cause::kLogRotation || cause == Cause::kFullButSteady ||
          cause == Cause::kRenewal || cause == Cause::kCertificate) {
        start = 0;
      }
      if (cause == Cause::kCertificate) {
        // Ends within the time that is simulated, mostly.
        mishap.span = draw_.Between(0.15, 1.2) * static_cast<double>(length_);
      }
      mishap.members = {{number, start, kNever, kNever}};
      mishaps_.push_back(std::move(mishap));
      return;
    }
  }

  // In working hours two times out of three: that is when people change things.
  Minute CommonStart() {
    for (;;) {
      const Minute start = AnyStart();
      const LocalTime local = AtSite(start, 1);
      if (OfficeLoad(local) > 0.3 || draw_.Chance(0.2)) return start;
    }
  }

  void SwitchDown() {
    std::map<uint32_t, std::vector<uint32_t>> switches;
    for (const Machine& machine : fleet_) {
      if (Wired(machine)) switches[machine.wired_to].push_back(machine.number);
    }
    // Of one with few machines nobody speaks as of a mass incident.
    std::erase_if(switches, [](const auto& wired) {
      return wired.second.size() < kFewestWired;
    });
    if (switches.empty()) return;
    auto it = switches.begin();
    std::advance(it, draw_.Below(static_cast<uint32_t>(switches.size())));
    Common(Make(Cause::kSwitchDown), it->second, 0);
  }

  void AtASite(Cause cause) {
    std::map<std::string, std::vector<uint32_t>> sites;
    for (const Machine& machine : fleet_) {
      sites[machine.site].push_back(machine.number);
    }
    auto it = sites.begin();
    std::advance(it, draw_.Below(static_cast<uint32_t>(sites.size())));
    Common(Make(cause), it->second, 0);
  }

  void BadUpdate() {
    std::map<std::string, std::vector<uint32_t>> models;
    for (const Machine& machine : fleet_) {
      if (machine.person() && !taken_[machine.number]) {
        models[machine.model].push_back(machine.number);
      }
    }
    if (models.empty()) return;
    auto it = models.begin();
    std::advance(it, draw_.Below(static_cast<uint32_t>(models.size())));
    for (const uint32_t number : it->second) taken_[number] = true;
    Mishap mishap = Make(Cause::kBadUpdate);
    Common(std::move(mishap), it->second, 180);
  }

  // `rollout`: minutes over which it reaches everybody.
  void Common(Mishap mishap, const std::vector<uint32_t>& machines,
              double rollout) {
    const Minute start = CommonStart();
    for (const uint32_t number : machines) {
      mishap.members.push_back(
          {number, start + static_cast<Minute>(draw_.Between(0, rollout)),
           kNever, kNever});
    }
    mishaps_.push_back(std::move(mishap));
  }

  const absl::Span<const Machine> fleet_;
  const Minute length_;
  Draw draw_;
  std::vector<bool> taken_;
  std::vector<Mishap> mishaps_;
};

}  // namespace

std::vector<Mishap> PlanMishaps(absl::Span<const Machine> fleet, Minute length,
                                uint64_t seed) {
  return Planner(fleet, length, seed).Plan();
}

string_view Name(Cause cause) {
  constexpr string_view kNames[] = {
      "disk_fill",       "inodes",       "leak",          "runaway",
      "failing_disk",    "throttling",   "flaky_network", "certificate",
      "clock_drift",     "battery_wear", "crash_loop",    "switch_down",
      "dns_outage",      "bad_update",   "big_copy",      "log_rotation",
      "cache_warm",      "long_batch",   "build",         "reboot",
      "walk_away",       "weak_wifi",    "dns_blip",      "renewal",
      "deploy",          "hot_day",      "raid_check",    "clock_step",
      "full_but_steady", "grown_disk"};
  return kNames[static_cast<size_t>(cause)];
}

bool IsCommon(Cause cause) {
  return cause == Cause::kSwitchDown || cause == Cause::kDnsOutage ||
         cause == Cause::kBadUpdate || cause == Cause::kDnsBlip;
}

absl::Span<const string_view> SubsystemsOf(Cause cause) {
  static constexpr string_view kFiles[] = {"filesystem", "disk"};
  static constexpr string_view kMemory[] = {"memory", "process", "cpu", "disk",
                                            "probe"};
  static constexpr string_view kCpu[] = {"cpu", "process", "thermal", "probe"};
  static constexpr string_view kDrive[] = {"disk", "filesystem", "cpu"};
  static constexpr string_view kHeat[] = {"thermal", "cpu"};
  static constexpr string_view kNetwork[] = {"network", "probe", "agent"};
  static constexpr string_view kCertificates[] = {"certificate", "probe"};
  static constexpr string_view kClock[] = {"clock"};
  static constexpr string_view kPower[] = {"power"};
  static constexpr string_view kService[] = {"service", "probe", "process"};
  static constexpr string_view kUpdate[] = {"memory", "service", "process",
                                            "cpu", "disk"};
  switch (cause) {
    case Cause::kDiskFill:
    case Cause::kInodes:
      return kFiles;
    case Cause::kLeak:
      return kMemory;
    case Cause::kRunaway:
      return kCpu;
    case Cause::kFailingDisk:
      return kDrive;
    case Cause::kThrottling:
      return kHeat;
    case Cause::kFlakyNetwork:
    case Cause::kSwitchDown:
    case Cause::kDnsOutage:
      return kNetwork;
    case Cause::kCertificate:
      return kCertificates;
    case Cause::kClockDrift:
      return kClock;
    case Cause::kBattery:
      return kPower;
    case Cause::kCrashLoop:
      return kService;
    case Cause::kBadUpdate:
      return kUpdate;
    default:
      return {};
  }
}

}  // namespace forewarn::fleetsim
