#include "agent/sources/smart_source.h"

#include <optional>
#include <utility>

#include "absl/container/btree_set.h"
#include "agent/sources/child_process.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

absl::StatusOr<std::string> RunInstalled(
    const std::vector<std::string>& arguments) {
  const std::string program = FindProgram("smartctl");
  if (program.empty()) {
    return absl::NotFoundError("run smartctl: it is not installed");
  }
  std::vector<std::string> all = {program};
  all.insert(all.end(), arguments.begin(), arguments.end());
  // The exit code tells of the drives' health too; the answer says all.
  absl::StatusOr<ChildOutput> output = RunChild(all, ChildLimits());
  if (!output.ok()) return output.status();
  return std::move(output->text);
}

void AcceptReport(const SmartReport& report, ReadingSink& sink) {
  const auto accept = [&](absl::string_view metric,
                          const std::optional<double>& value) {
    if (value.has_value()) {
      sink.Accept(metric, {{"hw.id", report.drive}}, *value);
    }
  };
  if (report.passed.has_value()) {
    accept("forewarn.smart.passed", *report.passed ? 1 : 0);
  }
  accept("forewarn.smart.power_on", report.power_on_seconds);
  accept("forewarn.smart.temperature", report.temperature_celsius);
  accept("hw.physical_disk.endurance_utilization", report.endurance_used_ratio);
  accept("forewarn.nvme.critical_warning", report.critical_warning);
  accept("forewarn.nvme.media_errors", report.media_errors);
  accept("forewarn.nvme.spare", report.spare_ratio);
  if (report.spare_ratio.has_value() &&
      report.spare_threshold_ratio.has_value()) {
    accept("forewarn.nvme.spare.margin",
           *report.spare_ratio - *report.spare_threshold_ratio);
  }
  absl::btree_set<absl::string_view> seen;  // a table may repeat itself
  for (const auto& [name, value] : report.attributes) {
    if (!seen.insert(name).second) continue;
    sink.Accept(
        "hw.physical_disk.smart",
        {{"hw.id", report.drive}, {"hw.physical_disk.smart_attribute", name}},
        value);
  }
}

}  // namespace

SmartSource::SmartSource() : SmartSource(RunInstalled) {}

SmartSource::SmartSource(RunSmartctl run) : run_(std::move(run)) {}

absl::Status SmartSource::Sample(const SampleTime& /*now*/, ReadingSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(const std::string scan,
                            run_({"--scan-open", "--json=c"}));
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<SmartDevice> devices,
                            ParseSmartScan(scan));
  if (devices.empty()) return absl::NotFoundError("ask drives: there are none");
  absl::Status failure;  // of the first that could not be asked
  bool is_answered = false;
  absl::btree_set<std::string> seen;  // a drive may have two ways to it
  for (const SmartDevice& device : devices) {
    const absl::StatusOr<std::string> json = run_(
        {"--json=c", "-n", "standby", "-a", "-d", device.type, device.name});
    const absl::StatusOr<SmartReport> report =
        json.ok() ? ParseSmartReport(*json)
                  : absl::StatusOr<SmartReport>(json.status());
    if (!report.ok()) {
      failure.Update(base::Annotate(report.status(), device.name));
      continue;
    }
    is_answered = true;
    if (!report->asleep && seen.insert(report->drive).second) {
      AcceptReport(*report, sink);
    }
  }
  // Beside drives that answer, one that cannot is mostly no drive: a card
  // reader, a RAID volume.
  if (is_answered) return absl::OkStatus();
  return absl::IsPermissionDenied(failure)
             ? absl::UnimplementedError(failure.message())
             : failure;
}

}  // namespace forewarn::agent
