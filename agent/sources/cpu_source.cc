#include "agent/sources/cpu_source.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/sources/growth.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr const char* kModeNames[CpuSource::kModes] = {
    "user", "nice", "system", "idle", "iowait", "interrupt", "steal"};
constexpr int kIdle = 3;
constexpr int kIowait = 4;

// USER_HZ, the unit of /proc/stat: 100 in the kernel's interface on every
// architecture that Debian runs on.
constexpr double kTicksPerSecond = 100;

constexpr int kMaxCores = 4096;        // bound on what a file may claim; chosen
constexpr size_t kMaxCoreSeries = 64;  // as the catalogue says
constexpr size_t kFrequencyReads = 16;  // each may wake a core; chosen
constexpr absl::Duration kThrottlingInterval = absl::Minutes(1);
constexpr absl::string_view kCpuFolder = "/sys/devices/system/cpu/cpu";

// "user nice system idle iowait irq softirq steal ..."; old kernels lack the
// last ones. False when the first four are no numbers.
bool ParseTicks(absl::string_view line, CpuSource::Ticks& ticks) {
  std::array<uint64_t, 8> fields{};
  for (size_t i = 0; i < fields.size(); ++i) {
    const absl::string_view field = NextField(line);
    if (field.empty() && i >= 4) break;
    if (!ParseCount(field, fields[i])) return false;
  }
  ticks = {fields[0], fields[1], fields[2],
           fields[3], fields[4], fields[5] + fields[6],
           fields[7]};
  return true;
}

}  // namespace

absl::Status CpuSource::Sample(const SampleTime& now, ReadingSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(const std::string text, files_.Read("/proc/stat"));
  bool has_total = false;
  reading_.clear();
  absl::string_view rest = text;
  absl::string_view line;
  while (NextLine(rest, line)) {
    const absl::string_view key = NextField(line);
    uint64_t value = 0;
    Ticks ticks;
    if (key == "cpu") {
      if (!ParseTicks(line, ticks)) continue;
      has_total = true;
      SampleTotal(ticks, sink);
    } else if (absl::StartsWith(key, "cpu")) {
      if (!ParseCount(key.substr(3), value) || value >= kMaxCores ||
          !ParseTicks(line, ticks)) {
        continue;
      }
      reading_.emplace_back(static_cast<int>(value), ticks);
    } else if (key == "ctxt") {
      if (ParseCount(NextField(line), value)) {
        sink.Accept("forewarn.cpu.context_switches",
                    static_cast<double>(value));
      }
    } else if (key == "processes") {
      if (ParseCount(NextField(line), value)) {
        sink.Accept("forewarn.cpu.forks", static_cast<double>(value));
      }
    } else if (key == "intr") {
      if (ParseCount(NextField(line), value)) {
        sink.Accept("forewarn.cpu.interrupts", static_cast<double>(value));
      }
    }
  }
  SampleCores(reading_, sink);
  SampleFrequency(sink);
  SampleThrottling(now, sink);
  if (!has_total) {
    return absl::DataLossError("read /proc/stat: no readable line \"cpu\"");
  }
  return absl::OkStatus();
}

void CpuSource::SampleTotal(const Ticks& ticks, ReadingSink& sink) {
  for (int i = 0; i < kModes; ++i) {
    sink.Accept("system.cpu.time", {{"cpu.mode", kModeNames[i]}},
                static_cast<double>(ticks[i]) / kTicksPerSecond);
  }
  const std::optional<Ticks> before = std::exchange(total_, ticks);
  if (!before.has_value()) return;
  // Idle and iowait may go back a little (see proc(5)): that is no growth.
  std::array<double, kModes> grown;
  double all = 0;
  for (int i = 0; i < kModes; ++i) {
    grown[i] = static_cast<double>(Growth((*before)[i], ticks[i]).value_or(0));
    all += grown[i];
  }
  if (all <= 0) return;
  for (int i = 0; i < kModes; ++i) {
    sink.Accept("system.cpu.utilization", {{"cpu.mode", kModeNames[i]}},
                grown[i] / all);
  }
  sink.Accept("forewarn.cpu.busy", 1 - (grown[kIdle] + grown[kIowait]) / all);
}

void CpuSource::SampleCores(const std::vector<std::pair<int, Ticks>>& cores,
                            ReadingSink& sink) {
  if (cores.empty()) return;
  sink.Accept("system.cpu.logical.count", static_cast<double>(cores.size()));
  for (Core& core : cores_) core.online = false;
  std::optional<double> most;
  for (const auto& [number, ticks] : cores) {
    if (static_cast<size_t>(number) >= cores_.size()) {
      cores_.resize(number + 1);
    }
    Core& core = cores_[number];
    if (core.online) continue;  // a line that stands twice
    uint64_t all = 0;
    for (const uint64_t mode : ticks) all += mode;
    const uint64_t idle = ticks[kIdle] + ticks[kIowait];
    const Core before = std::exchange(
        core,
        Core{.busy = all - idle, .idle = idle, .known = true, .online = true});
    if (!before.known) continue;
    const auto busy_grown =
        static_cast<double>(Growth(before.busy, core.busy).value_or(0));
    const auto idle_grown =
        static_cast<double>(Growth(before.idle, core.idle).value_or(0));
    if (busy_grown + idle_grown <= 0) continue;
    const double busy = busy_grown / (busy_grown + idle_grown);
    most = std::max(most.value_or(0), busy);
    if (cores.size() <= kMaxCoreSeries) {
      sink.Accept("forewarn.cpu.core.busy",
                  {{"cpu.logical_number", absl::AlphaNum(number).Piece()}},
                  busy);
    }
  }
  if (most.has_value()) sink.Accept("forewarn.cpu.core.busy.max", *most);
  // A core that went offline starts anew when it comes back.
  for (Core& core : cores_) core.known = core.online;
}

void CpuSource::SampleFrequency(ReadingSink& sink) const {
  double sum_hertz = 0;
  int count = 0;
  // On a large machine an even sample of the cores has to do.
  const size_t step = std::max<size_t>(
      1, (reading_.size() + kFrequencyReads - 1) / kFrequencyReads);
  for (size_t i = 0; i < reading_.size(); i += step) {
    const auto kilohertz = files_.ReadNumber(absl::StrCat(
        kCpuFolder, reading_[i].first, "/cpufreq/scaling_cur_freq"));
    if (!kilohertz.ok() || *kilohertz <= 0) {
      // Most virtual machines have none at all.
      if (absl::IsNotFound(kilohertz.status())) break;
      continue;
    }
    sum_hertz += *kilohertz * 1000;
    ++count;
  }
  if (count > 0) sink.Accept("system.cpu.frequency", sum_hertz / count);
}

void CpuSource::SampleThrottling(const SampleTime& now, ReadingSink& sink) {
  if (now.since_boot >= throttling_due_) {
    throttling_due_ = now.since_boot + kThrottlingInterval;
    throttle_events_.reset();
    uint64_t events = 0;
    // Every core of a package tells the package's one counter.
    absl::flat_hash_map<std::string, uint64_t> packages;
    for (const auto& [number, ticks] : reading_) {
      const std::string folder = absl::StrCat(kCpuFolder, number);
      const auto core = files_.ReadNumber(
          absl::StrCat(folder, "/thermal_throttle/core_throttle_count"));
      if (absl::IsNotFound(core.status())) break;
      if (!core.ok() || *core < 0) continue;
      events += static_cast<uint64_t>(*core);
      throttle_events_ = 0;
      const auto package_count = files_.ReadNumber(
          absl::StrCat(folder, "/thermal_throttle/package_throttle_count"));
      const auto package = files_.ReadLine(
          absl::StrCat(folder, "/topology/physical_package_id"));
      if (!package_count.ok() || *package_count < 0 || !package.ok()) continue;
      uint64_t& most = packages[*package];
      most = std::max(most, static_cast<uint64_t>(*package_count));
    }
    for (const auto& [package, count] : packages) events += count;
    if (throttle_events_.has_value()) throttle_events_ = events;
  }
  if (throttle_events_.has_value()) {
    sink.Accept("forewarn.cpu.throttle.events",
                static_cast<double>(*throttle_events_));
  }
}

}  // namespace forewarn::agent
