#ifndef FOREWARN_AGENT_SOURCES_AGENT_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_AGENT_SOURCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"
#include "protos/base/mutex.h"

namespace forewarn::agent {

// What the agent's rooms know about themselves; sampler, spool and uplink
// write it, AgentSource reads it. Thread-safe.
class AgentStats {
 public:
  struct SourceState {
    absl::Duration last_duration;
    uint64_t failures = 0;
    absl::Duration last_good;  // since boot; when it last read well
    absl::Duration interval;   // how often it should
  };
  struct Totals {
    uint64_t series = 0;
    uint64_t spool_bytes = 0;
    uint64_t spool_limit_bytes = 0;
    uint64_t unacked_batches = 0;
    uint64_t dropped_samples = 0;
    uint64_t reconnects = 0;
    absl::Duration tick;
  };

  void SetSource(absl::string_view name, const SourceState& state);
  void RemoveSource(absl::string_view name);
  std::vector<std::pair<std::string, SourceState>> sources() const;

  // Runs `change` on the totals under the lock.
  template <typename F>
  void Update(F change) {
    base::MutexLock lock(&mutex_);
    change(totals_);
  }
  Totals totals() const;

 private:
  mutable base::Mutex mutex_;
  absl::btree_map<std::string, SourceState> sources_ ABSL_GUARDED_BY(mutex_);
  Totals totals_ ABSL_GUARDED_BY(mutex_);
};

// forewarn.agent.*: the agent about itself, from /proc/self and `stats`.
class AgentSource final : public Source {
 public:
  // Both must outlive it.
  AgentSource(const HostFiles& files, const AgentStats& stats);

  absl::string_view name() const override { return "agent"; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  const HostFiles& files_;
  const AgentStats& stats_;
  absl::Duration started_;
  absl::Duration last_since_boot_;
  double last_cpu_seconds_ = -1;
  absl::Duration next_proportional_;
};

// What this process has used of the processor, to the nanosecond; what
// /proc/self/stat counts in hundredths is zero for most ticks of an idle agent.
absl::Duration OwnCpuTime();

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_AGENT_SOURCE_H_
