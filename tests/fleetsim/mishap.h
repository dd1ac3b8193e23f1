#ifndef FOREWARN_TESTS_FLEETSIM_MISHAP_H_
#define FOREWARN_TESTS_FLEETSIM_MISHAP_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tests/fleetsim/calendar.h"
#include "tests/fleetsim/machine.h"

namespace forewarn::fleetsim {

// What goes wrong, and what only looks as if it did.
enum class Cause {
  kDiskFill,
  kInodes,
  kLeak,
  kRunaway,
  kFailingDisk,
  kThrottling,
  kFlakyNetwork,
  kCertificate,
  kClockDrift,
  kBattery,
  kCrashLoop,
  kSwitchDown,
  kDnsOutage,
  kBadUpdate,
  // Look-alikes.
  kBigCopy,
  kLogRotation,
  kCacheWarm,
  kLongBatch,
  kBuild,
  kReboot,
  kWalkAway,
  kWeakWifi,
  kDnsBlip,
  kRenewal,
  kDeploy,
  kHotDay,
  kRaidCheck,
  kClockStep,
  kFullButSteady,
  kGrownDisk,
};
inline constexpr Cause kFirstLookAlike = Cause::kBigCopy;

absl::string_view Name(Cause cause);
inline bool IsFault(Cause cause) { return cause < kFirstLookAlike; }
// One cause on many machines.
bool IsCommon(Cause cause);
// What a ticket about it may be about.
absl::Span<const absl::string_view> SubsystemsOf(Cause cause);

inline constexpr Minute kNever = std::numeric_limits<Minute>::max() / 4;

// One of them, planned. Its course follows from these alone; when somebody
// notices follows from what the machine then does.
struct Mishap {
  Cause cause = Cause::kDiskFill;
  // How long until it would be at its worst (a fault), or until it is over (a
  // look-alike), in minutes.
  double span = 0;
  int shape = 0;    // 0 steady, 1 faster and faster, 2 in bursts, 3 with rests
  double size = 1;  // of a look-alike, or of what differs by cause
  bool data = false;  // the data file system instead of the root
  struct Member {
    uint32_t machine = 0;
    Minute start = 0;
    Minute noticed = kNever;  // filled in as the simulation runs
    Minute ended = kNever;
  };
  std::vector<Member> members;
};

// Faults and as many look-alikes, spread over machines and time; at most one
// on a machine, but for those that are common to many.
std::vector<Mishap> PlanMishaps(absl::Span<const Machine> fleet, Minute length,
                                uint64_t seed);

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_MISHAP_H_
