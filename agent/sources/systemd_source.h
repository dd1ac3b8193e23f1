#ifndef FOREWARN_AGENT_SOURCES_SYSTEMD_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_SYSTEMD_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// What the service manager says at one moment. Names are as it has them.
struct ServiceManagerState {
  std::string system_state;  // running, starting, degraded, ...
  uint32_t jobs = 0;
  std::vector<std::string> failed = {};  // units
  // Services that restart by themselves and have done so.
  std::vector<std::pair<std::string, uint32_t>> restarts = {};
};

class ServiceManager {
 public:
  // Units looked at, of each kind.
  static constexpr size_t kMaxUnits = 200;

  virtual ~ServiceManager() = default;

  // kNotFound where none runs or it cannot be reached.
  virtual absl::StatusOr<ServiceManagerState> Read() = 0;
};

// systemd over the system bus. Keeps its connection; after a failure the next
// Read makes a new one. Thread-compatible.
std::unique_ptr<ServiceManager> MakeSystemdManager();

// forewarn.systemd.*, and an event "forewarn.event.unit_failed" for each unit
// that fails while the agent runs.
class SystemdSource final : public Source {
 public:
  explicit SystemdSource(std::unique_ptr<ServiceManager> manager);

  absl::string_view name() const override { return "systemd"; }
  absl::Duration interval() const override { return absl::Seconds(30); }
  bool may_block() const override { return true; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  void AcceptFailed(const SampleTime& now,
                    const absl::btree_set<std::string>& failed,
                    ReadingSink& sink);

  const std::unique_ptr<ServiceManager> manager_;
  absl::btree_map<std::string, bool> failed_;  // unit -> still failed
  bool first_ = true;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_SYSTEMD_SOURCE_H_
