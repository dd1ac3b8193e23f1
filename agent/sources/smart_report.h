#ifndef FOREWARN_AGENT_SOURCES_SMART_REPORT_H_
#define FOREWARN_AGENT_SOURCES_SMART_REPORT_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace forewarn::agent {

struct SmartDevice {
  std::string name;  // /dev/sda
  std::string type;  // sat, nvme, megaraid,0
};

// What one drive says of itself; absent what it does not say.
struct SmartReport {
  std::string drive;  // "model serial", else the device's name; cleaned
  std::optional<bool> passed;
  std::optional<double> power_on_seconds;
  std::optional<double> temperature_celsius;
  std::optional<double> endurance_used_ratio;
  std::vector<std::pair<absl::string_view, double>> attributes;  // by name
  std::optional<double> critical_warning;
  std::optional<double> media_errors;
  std::optional<double> spare_ratio;
  std::optional<double> spare_threshold_ratio;
  bool asleep = false;  // in standby: it was not woken to be asked
};

// Of `smartctl --scan-open --json`: at most 64 devices, those whose names and
// types are plain. kDataLoss when it is no JSON.
absl::StatusOr<std::vector<SmartDevice>> ParseSmartScan(absl::string_view json);

// Of `smartctl --json -a`. kPermissionDenied, kUnavailable: smartctl could
// not ask the drive, with its words. kDataLoss when it is no JSON.
absl::StatusOr<SmartReport> ParseSmartReport(absl::string_view json);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_SMART_REPORT_H_
