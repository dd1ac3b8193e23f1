#include "agent/sources/systemd_source.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/sources/source_event.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxNameBytes = 256;

}  // namespace

SystemdSource::SystemdSource(std::unique_ptr<ServiceManager> manager)
    : manager_(std::move(manager)) {}

absl::Status SystemdSource::Sample(const SampleTime& now, ReadingSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(const ServiceManagerState state, manager_->Read());
  const std::string& system = state.system_state;
  if (system == "running" || system == "starting" || system == "initializing") {
    sink.Accept("forewarn.systemd.running", 1);
  } else if (system == "degraded" || system == "maintenance") {
    sink.Accept("forewarn.systemd.running", 0);
  }  // "stopping" is no trouble, "offline" no state of this machine
  sink.Accept("forewarn.systemd.jobs", state.jobs);
  sink.Accept("forewarn.systemd.units.failed",
              static_cast<double>(state.failed.size()));

  absl::btree_set<std::string> failed;
  for (const std::string& unit : state.failed) {
    if (failed.size() >= ServiceManager::kMaxUnits) break;
    failed.insert(CleanText(unit, kMaxNameBytes));
  }
  AcceptFailed(now, failed, sink);

  absl::btree_map<std::string, uint32_t> restarts;
  for (const auto& [unit, count] : state.restarts) {
    if (restarts.size() >= ServiceManager::kMaxUnits) break;
    if (count > 0) restarts.emplace(CleanText(unit, kMaxNameBytes), count);
  }
  for (const auto& [unit, count] : restarts) {
    sink.Accept("forewarn.systemd.unit.restarts", {{"systemd.unit.name", unit}},
                count);
  }
  return absl::OkStatus();
}

void SystemdSource::AcceptFailed(const SampleTime& now,
                                 const absl::btree_set<std::string>& failed,
                                 ReadingSink& sink) {
  absl::btree_set<std::string> newly;
  for (const std::string& unit : failed) {
    const auto known = failed_.find(unit);
    if (known == failed_.end() || !known->second) newly.insert(unit);
  }
  for (auto& [unit, still] : failed_) still = failed.contains(unit);
  for (const std::string& unit : newly) {
    if (!failed_.contains(unit)) {
      if (failed_.size() >= ServiceManager::kMaxUnits) {
        // Room is made by one that has become well.
        const auto well =
            std::find_if(failed_.begin(), failed_.end(),
                         [](const auto& entry) { return !entry.second; });
        if (well == failed_.end()) continue;
        failed_.erase(well);
      }
      failed_.emplace(unit, true);
    }
    if (first_) continue;  // failed before the agent ran
    sink.AcceptEvent(MakeEvent(now.wall, "unit_failed",
                               {{"systemd.unit.name", unit}},
                               absl::StrCat(unit, " failed")));
  }
  first_ = false;
  for (const auto& [unit, still] : failed_) {
    sink.Accept("forewarn.systemd.unit.failed", {{"systemd.unit.name", unit}},
                still ? 1 : 0);
  }
}

}  // namespace forewarn::agent
