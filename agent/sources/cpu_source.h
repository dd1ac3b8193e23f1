#ifndef FOREWARN_AGENT_SOURCES_CPU_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_CPU_SOURCE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// CPU time by mode, share of each core, context switches and interrupts from
// /proc/stat; frequency and thermal throttling from
// /sys/devices/system/cpu.
class CpuSource final : public Source {
 public:
  // user, nice, system, idle, iowait, interrupt, steal, in ticks.
  static constexpr int kModes = 7;
  using Ticks = std::array<uint64_t, kModes>;

  // `files` must outlive it.
  explicit CpuSource(const HostFiles& files) : files_(files) {}

  absl::string_view name() const override { return "cpu"; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  // One logical CPU, by its number; idle = idle and iowait.
  struct Core {
    uint64_t busy = 0;
    uint64_t idle = 0;
    bool known = false;
    bool online = false;  // in the reading under way
  };

  void SampleTotal(const Ticks& ticks, ReadingSink& sink);
  void SampleCores(const std::vector<std::pair<int, Ticks>>& cores,
                   ReadingSink& sink);
  void SampleFrequency(ReadingSink& sink) const;
  void SampleThrottling(const SampleTime& now, ReadingSink& sink);

  const HostFiles& files_;
  std::optional<Ticks> total_;
  std::vector<Core> cores_;
  std::vector<std::pair<int, Ticks>> reading_;  // kept for its memory
  // Throttle counters cost two files a core, so they are read once a minute.
  absl::Duration throttling_due_;
  std::optional<uint64_t> throttle_events_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_CPU_SOURCE_H_
