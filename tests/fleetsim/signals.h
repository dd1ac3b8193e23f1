#ifndef FOREWARN_TESTS_FLEETSIM_SIGNALS_H_
#define FOREWARN_TESTS_FLEETSIM_SIGNALS_H_

#include <array>
#include <limits>
#include <vector>

#include "absl/time/time.h"
#include "protos/wire/series.h"

namespace forewarn::fleetsim {

// What a made endpoint measures, by the catalogue's names.
enum Signal {
  kCpuBusy,
  kCpuIowait,
  kCoreBusyMax,
  kLoad1,
  kLoad15,
  kContextSwitches,
  kMemoryUsed,
  kMemoryAvailableShare,
  kMemoryAvailable,
  kSwapUsed,
  kSwapFree,
  kSwapOut,
  kMajorFaults,
  kOomKills,
  kMemoryPressure,
  kIoPressure,
  kDiskUtilization,
  kDiskQueue,
  kReadLatency,
  kWriteLatency,
  kReads,
  kWrites,
  kRootUsed,
  kRootAvailable,
  kRootInodes,
  kDataUsed,
  kDataAvailable,
  kDataInodes,
  kNetReceive,
  kNetTransmit,
  kNetErrors,
  kNetDrops,
  kRetransmits,
  kLinkUp,
  kLinkChanges,
  kGatewayLoss,
  kGatewayRtt,
  kResolverUp,
  kResolverDuration,
  kClockOffset,
  kClockSynchronised,
  kClockMaxError,
  kHeat,
  kThrottles,
  kBatteryCharge,
  kDischarging,
  kServiceRestarts,
  kHelperRestarts,
  kServiceFailed,
  kFilesUsed,
  kTopFiles,
  kProcesses,
  kTopMemory,
  kUptime,
  kProbeUp,
  kProbeDuration,
  kIoErrors,
  kSegfaults,
  // From here on: every half hour.
  kRootLimit,
  kDataLimit,
  kRotational,
  kCpuCount,
  kMemoryLimit,
  kReallocated,
  kPending,
  kUncorrectable,
  kSmartPassed,
  kDriveTemperature,
  kEndurance,
  kBatteryHealth,
  kCertificateLeft,
  kSignals,
};
inline constexpr Signal kFirstSlow = kRootLimit;
inline constexpr int kSlowMinutes = 30;

// By signal; what is not a number is not there at this moment.
using Values = std::array<double, kSignals>;
inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

// By signal: as an agent would define it.
const std::vector<wire::SeriesDefinition>& SignalDefinitions();

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_SIGNALS_H_
