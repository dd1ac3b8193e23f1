#include "agent/sources/agent_source.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "absl/strings/string_view.h"
#include "agent/sources/process_table.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr absl::Duration kProportionalEvery = absl::Minutes(1);

// The number after `key` in lines of "key: number unit"; negative without it.
double FieldOf(absl::string_view text, absl::string_view key) {
  absl::string_view line;
  uint64_t value = 0;
  while (NextLine(text, line)) {
    if (NextField(line) == key && ParseCount(NextField(line), value)) {
      return static_cast<double>(value);
    }
  }
  return -1;
}

void AcceptSource(const std::string& name, const AgentStats::SourceState& state,
                  absl::Duration tick, absl::Duration since_boot,
                  absl::Duration started, ReadingSink& sink) {
  const AttributeView source = {"forewarn.source", name};
  sink.Accept("forewarn.agent.source.duration", {source},
              absl::ToDoubleSeconds(state.last_duration));
  sink.Accept("forewarn.agent.source.failures", {source},
              static_cast<double>(state.failures));
  const absl::Duration age = std::max(
      since_boot - std::max(state.last_good, started), absl::ZeroDuration());
  sink.Accept("forewarn.agent.source.age", {source},
              absl::ToDoubleSeconds(age));
  const absl::Duration interval = std::max(state.interval, tick);
  if (interval > absl::ZeroDuration()) {
    sink.Accept("forewarn.agent.source.lateness", {source},
                absl::FDivDuration(age, interval));
  }
}

}  // namespace

absl::Duration OwnCpuTime() {
  struct timespec used = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return absl::DurationFromTimespec(used);
}

void AgentStats::SetSource(absl::string_view name, const SourceState& state) {
  base::MutexLock lock(&mutex_);
  sources_[std::string(name)] = state;
}

void AgentStats::RemoveSource(absl::string_view name) {
  base::MutexLock lock(&mutex_);
  sources_.erase(std::string(name));
}

std::vector<std::pair<std::string, AgentStats::SourceState>>
AgentStats::sources() const {
  base::MutexLock lock(&mutex_);
  return {sources_.begin(), sources_.end()};
}

AgentStats::Totals AgentStats::totals() const {
  base::MutexLock lock(&mutex_);
  return totals_;
}

AgentSource::AgentSource(const HostFiles& files, const AgentStats& stats)
    : files_(files), stats_(stats) {}

absl::Status AgentSource::Sample(const SampleTime& now, ReadingSink& sink) {
  const AgentStats::Totals totals = stats_.totals();
  sink.Accept("forewarn.agent.batches.unacked",
              static_cast<double>(totals.unacked_batches));
  sink.Accept("forewarn.agent.reconnects",
              static_cast<double>(totals.reconnects));
  sink.Accept("forewarn.agent.samples.dropped",
              static_cast<double>(totals.dropped_samples));
  sink.Accept("forewarn.agent.series", static_cast<double>(totals.series));
  sink.Accept("forewarn.agent.spool.limit",
              static_cast<double>(totals.spool_limit_bytes));
  sink.Accept("forewarn.agent.spool.usage",
              static_cast<double>(totals.spool_bytes));
  sink.Accept("forewarn.agent.tick", absl::ToDoubleSeconds(totals.tick));

  FOREWARN_ASSIGN_OR_RETURN(const std::string line,
                            files_.Read("/proc/self/stat"));
  FOREWARN_ASSIGN_OR_RETURN(const ProcessStat stat, ParseProcessStat(line));
  started_ = absl::Seconds(static_cast<double>(stat.start_ticks) /
                           static_cast<double>(sysconf(_SC_CLK_TCK)));
  for (const auto& [name, state] : stats_.sources()) {
    AcceptSource(name, state, totals.tick, now.since_boot, started_, sink);
  }
  sink.Accept("forewarn.agent.uptime",
              std::max(absl::ToDoubleSeconds(now.since_boot - started_), 0.0));

  const double cpu = files_.is_this_machine()
                         ? absl::ToDoubleSeconds(OwnCpuTime())
                         : stat.cpu_seconds;
  sink.Accept("forewarn.agent.cpu", cpu);
  const double elapsed =
      absl::ToDoubleSeconds(now.since_boot - last_since_boot_);
  if (last_cpu_seconds_ >= 0 && elapsed > 0) {
    sink.Accept("forewarn.agent.cpu.utilization",
                (cpu - last_cpu_seconds_) / elapsed);
  }
  last_cpu_seconds_ = cpu;
  last_since_boot_ = now.since_boot;

  sink.Accept("forewarn.agent.memory",
              static_cast<double>(stat.resident_bytes));
  FOREWARN_ASSIGN_OR_RETURN(const std::string status,
                            files_.Read("/proc/self/status"));
  if (const double threads = FieldOf(status, "Threads:"); threads >= 0) {
    sink.Accept("forewarn.agent.threads", threads);
  }
  if (const auto open = files_.List("/proc/self/fd"); open.ok()) {
    // The listing itself has one open.
    const size_t own = files_.is_this_machine() && !open->empty() ? 1 : 0;
    sink.Accept("forewarn.agent.files",
                static_cast<double>(open->size() - own));
  }
  if (now.since_boot >= next_proportional_) {
    next_proportional_ = now.since_boot + kProportionalEvery;
    const auto maps = files_.Read("/proc/self/smaps_rollup");
    const double kibibytes = maps.ok() ? FieldOf(*maps, "Pss:") : -1;
    if (kibibytes >= 0) {
      sink.Accept("forewarn.agent.memory.proportional", kibibytes * 1024);
    }
  }
  return absl::OkStatus();
}

}  // namespace forewarn::agent
