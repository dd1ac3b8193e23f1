#include "agent/sources/process_source.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/sources/source_event.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxProcesses = 20000;
constexpr size_t kTop = 5;
constexpr size_t kMaxCommandBytes = 200;
constexpr size_t kLimitReads = 64;       // processes whose limit is read
constexpr size_t kDescriptorCounts = 4;  // processes whose files are counted
constexpr int kStuckReads = 64;          // processes looked at for being stuck
constexpr absl::Duration kStuckAfter = absl::Minutes(1);

}  // namespace

ProcessSource::ProcessSource(const HostFiles& files)
    : files_(files), users_(files) {}

absl::Status ProcessSource::Sample(const SampleTime& now, ReadingSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            files_.List("/proc"));
  ++reading_;
  seen_.clear();
  running_ = sleeping_ = blocked_ = stopped_ = zombies_ = other_ = 0;
  stuck_ = status_reads_ = 0;
  size_t total = 0;
  for (const std::string& name : names) {
    if (name[0] < '0' || name[0] > '9') continue;
    if (++total > kMaxProcesses) continue;
    // One that has ended since the folder was listed is not there; one that
    // cannot be read hides nothing that could be counted.
    const auto line = files_.Read(absl::StrCat("/proc/", name, "/stat"));
    if (!line.ok()) continue;
    absl::StatusOr<ProcessStat> stat = ParseProcessStat(*line);
    if (stat.ok()) ReadProcess(now, *std::move(stat));
  }
  if (seen_.empty()) return absl::NotFoundError("list /proc: no processes");
  absl::erase_if(known_, [this](const auto& entry) {
    return entry.second.reading != reading_;
  });
  AcceptCounts(sink, total);
  AcceptFiles(sink);
  AcceptTop(now, sink);
  last_ = now.since_boot;
  std::vector<Seen>().swap(seen_);  // gives the memory back
  return absl::OkStatus();
}

void ProcessSource::ReadProcess(const SampleTime& now, ProcessStat stat) {
  CountState(stat.state);
  Known& known = known_[stat.pid];
  const bool is_new =
      known.reading == 0 || known.start_ticks != stat.start_ticks;
  if (is_new) {
    known = Known();
    known.start_ticks = stat.start_ticks;
  }
  known.reading = reading_;
  Seen seen;
  const double elapsed = absl::ToDoubleSeconds(now.since_boot - last_);
  // One that is new since the last reading used all its time since then.
  if (reading_ > 1 && elapsed > 0) {
    seen.cpu_ratio = (stat.cpu_seconds - known.cpu_seconds) / elapsed;
  }
  known.cpu_seconds = stat.cpu_seconds;
  if (IsStuck(stat, known, now.since_boot)) ++stuck_;
  seen.stat = std::move(stat);
  seen_.push_back(std::move(seen));
}

void ProcessSource::CountState(char state) {
  switch (state) {
    case 'R':
      ++running_;
      break;
    case 'S':
      ++sleeping_;
      break;
    case 'D':
      ++blocked_;
      break;
    case 'T':
    case 't':
      ++stopped_;
      break;
    case 'Z':
      ++zombies_;
      break;
    default:  // idle kernel threads and the dying
      ++other_;
  }
}

// One that is seen waiting each time may only be busy with a slow disk; a
// stuck one was not scheduled in between.
bool ProcessSource::IsStuck(const ProcessStat& stat, Known& known,
                            absl::Duration now) {
  if (stat.state != 'D' || ++status_reads_ > kStuckReads) {
    known.uninterruptible = false;
    return false;
  }
  const auto text = files_.Read(absl::StrCat("/proc/", stat.pid, "/status"));
  if (!text.ok()) return false;
  const uint64_t switches = ParseProcessStatus(*text).switches;
  if (!known.uninterruptible || known.uninterruptible_switches != switches) {
    known.uninterruptible = true;
    known.uninterruptible_since = now;
    known.uninterruptible_switches = switches;
  }
  return now - known.uninterruptible_since >= kStuckAfter;
}

void ProcessSource::AcceptCounts(ReadingSink& sink, size_t total) {
  const std::pair<absl::string_view, int> states[] = {
      {"running", running_}, {"sleeping", sleeping_}, {"blocked", blocked_},
      {"stopped", stopped_}, {"zombie", zombies_},    {"other", other_}};
  for (const auto& [state, count] : states) {
    sink.Accept("system.process.count", {{"process.state", state}}, count);
  }
  sink.Accept("forewarn.process.total", static_cast<double>(total));
  sink.Accept("forewarn.process.zombies", zombies_);
  sink.Accept("forewarn.process.uninterruptible", stuck_);

  // "0.20 0.18 0.12 1/80 11206": the fourth field counts all threads.
  const auto load = files_.Read("/proc/loadavg");
  std::array<absl::string_view, 4> fields;
  uint64_t threads = 0;
  if (!load.ok() || SplitFields(*load, fields) < fields.size()) return;
  const std::pair<absl::string_view, absl::string_view> ratio =
      absl::StrSplit(fields[3], '/');
  if (!ParseCount(ratio.second, threads)) return;
  sink.Accept("forewarn.process.threads", static_cast<double>(threads));
  const auto ids = files_.ReadNumber("/proc/sys/kernel/pid_max");
  const auto most = files_.ReadNumber("/proc/sys/kernel/threads-max");
  if (!ids.ok() || *ids <= 0) return;
  const double limit = most.ok() && *most > 0 ? std::min(*ids, *most) : *ids;
  sink.Accept("forewarn.process.pid.utilization",
              static_cast<double>(threads) / limit);
}

// Limits change seldom and cost two files a process: the 64 that were read
// longest ago, kernel threads (without memory) aside.
void ProcessSource::RefreshFileLimits() {
  std::vector<std::pair<uint64_t, uint32_t>> turn;  // last read, pid
  for (const Seen& seen : seen_) {
    if (seen.stat.resident_bytes == 0) continue;
    turn.emplace_back(known_[seen.stat.pid].limits_reading, seen.stat.pid);
  }
  const size_t count = std::min(kLimitReads, turn.size());
  std::partial_sort(turn.begin(), turn.begin() + static_cast<ptrdiff_t>(count),
                    turn.end());
  turn.resize(count);
  for (const auto& [ignored, pid] : turn) {
    Known& known = known_[pid];
    known.limits_reading = reading_;
    const auto limits = files_.Read(absl::StrCat("/proc/", pid, "/limits"));
    const auto status = files_.Read(absl::StrCat("/proc/", pid, "/status"));
    known.file_limit = limits.ok() ? ParseFileLimit(*limits) : 0;
    known.slots =
        status.ok() ? ParseProcessStatus(*status).descriptor_slots : 0;
  }
}

void ProcessSource::AcceptFiles(ReadingSink& sink) {
  // "1234  0  9223372036854775807": allocated, free, limit.
  const auto text = files_.ReadLine("/proc/sys/fs/file-nr");
  std::array<absl::string_view, 3> fields;
  uint64_t open = 0;
  uint64_t limit = 0;
  if (text.ok() && SplitFields(*text, fields) == fields.size() &&
      ParseCount(fields[0], open) && ParseCount(fields[2], limit)) {
    sink.Accept("forewarn.files.open", static_cast<double>(open));
    if (limit > 0) {
      sink.Accept("forewarn.files.utilization",
                  static_cast<double>(open) / static_cast<double>(limit));
    }
  }

  RefreshFileLimits();
  std::vector<std::pair<double, uint32_t>> nearest;  // at most this share
  for (const auto& [pid, known] : known_) {
    if (known.file_limit == 0) continue;
    nearest.emplace_back(static_cast<double>(known.slots) /
                             static_cast<double>(known.file_limit),
                         pid);
  }
  std::sort(nearest.rbegin(), nearest.rend());
  double highest = -1;
  size_t counted = 0;
  for (const auto& [share, pid] : nearest) {
    if (counted == kDescriptorCounts) break;
    const auto names = files_.List(absl::StrCat("/proc/", pid, "/fd"));
    Known& known = known_[pid];
    if (!names.ok() && !absl::IsResourceExhausted(names.status())) {
      known.file_limit = 0;  // not ours to see; asked again in its turn
      continue;
    }
    ++counted;
    // Too many to count: the kernel's table is the next best.
    const double files =
        static_cast<double>(names.ok() ? names->size() : known.slots);
    highest = std::max(highest, files / static_cast<double>(known.file_limit));
  }
  if (highest >= 0) {
    sink.Accept("forewarn.process.top.files.utilization", highest);
  }
}

void ProcessSource::AcceptTop(const SampleTime& now, ReadingSink& sink) {
  const auto top = std::min(kTop, seen_.size());
  const auto end = seen_.begin() + static_cast<ptrdiff_t>(top);
  v1::ProcessSnapshot snapshot;
  SetTimestamp(now.wall, *snapshot.mutable_time());

  if (reading_ > 1) {
    std::partial_sort(
        seen_.begin(), end, seen_.end(),
        [](const Seen& a, const Seen& b) { return a.cpu_ratio > b.cpu_ratio; });
    sink.Accept("forewarn.process.top.cpu", std::max(seen_[0].cpu_ratio, 0.0));
    for (auto it = seen_.begin(); it != end && it->cpu_ratio > 0; ++it) {
      *snapshot.add_top_cpu() = Describe(*it, now);
    }
  }

  std::partial_sort(seen_.begin(), end, seen_.end(),
                    [](const Seen& a, const Seen& b) {
                      return a.stat.resident_bytes > b.stat.resident_bytes;
                    });
  const double largest = static_cast<double>(seen_[0].stat.resident_bytes);
  sink.Accept("forewarn.process.top.memory", largest);
  for (auto it = seen_.begin(); it != end && it->stat.resident_bytes > 0;
       ++it) {
    *snapshot.add_top_memory() = Describe(*it, now);
  }
  sink.AcceptProcesses(std::move(snapshot));

  const auto memory = files_.Read("/proc/meminfo");
  absl::string_view text = memory.ok() ? *memory : absl::string_view();
  absl::string_view line;
  while (NextLine(text, line)) {
    if (NextField(line) != "MemTotal:") continue;
    uint64_t kibibytes = 0;
    if (ParseCount(NextField(line), kibibytes) && kibibytes > 0) {
      sink.Accept("forewarn.process.top.memory.share",
                  largest / (static_cast<double>(kibibytes) * 1024));
    }
    break;
  }
}

v1::Process ProcessSource::Describe(const Seen& seen, const SampleTime& now) {
  const std::string folder = absl::StrCat("/proc/", seen.stat.pid);
  v1::Process process;
  process.set_pid(seen.stat.pid);
  process.set_name(CleanText(seen.stat.name, 64));
  const auto command = files_.ReadFrom(folder + "/cmdline", 0, 1024);
  if (command.ok()) {
    process.set_command(CleanCommand(*command, kMaxCommandBytes));
  }
  const auto status = files_.Read(folder + "/status");
  if (status.ok()) {
    process.set_user(
        users_.NameOf(ParseProcessStatus(*status).user_id, now.since_boot));
  }
  process.set_cpu_ratio(std::max(seen.cpu_ratio, 0.0));
  process.set_memory_bytes(seen.stat.resident_bytes);
  static const double ticks_per_second =
      static_cast<double>(sysconf(_SC_CLK_TCK));
  const absl::Duration age =
      now.since_boot -
      absl::Seconds(static_cast<double>(seen.stat.start_ticks) /
                    ticks_per_second);
  SetTimestamp(now.wall - age, *process.mutable_started());
  return process;
}

}  // namespace forewarn::agent
