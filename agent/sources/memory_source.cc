#include "agent/sources/memory_source.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr double kKibibyte = 1024;

// The values of a file of lines "key value", for a fixed set of keys.
template <int N>
class Table {
 public:
  explicit Table(const char* const (&keys)[N]) : keys_(keys) {}

  void Read(absl::string_view text) {
    absl::string_view line;
    while (NextLine(text, line)) {
      const absl::string_view key = NextField(line);
      for (int i = 0; i < N; ++i) {
        if (key != keys_[i]) continue;
        uint64_t value = 0;
        if (ParseCount(NextField(line), value)) {
          values_[i] = static_cast<double>(value);
        }
        break;
      }
    }
  }
  std::optional<double> operator[](int i) const { return values_[i]; }

 private:
  const char* const (&keys_)[N];
  std::optional<double> values_[N];
};

enum Meminfo {
  kTotal,
  kFree,
  kAvailable,
  kBuffers,
  kCached,
  kReclaimable,
  kUnreclaimable,
  kSwapTotal,
  kSwapFree,
  kDirty,
  kWriteback,
  kShared,
  kKernelStack,
  kPageTables,
  kCommitLimit,
  kCommitted,
  kCorrupted,
  kMeminfoKeys
};
constexpr const char* kMeminfo[kMeminfoKeys] = {
    "MemTotal:",         "MemFree:",      "MemAvailable:", "Buffers:",
    "Cached:",           "SReclaimable:", "SUnreclaim:",   "SwapTotal:",
    "SwapFree:",         "Dirty:",        "Writeback:",    "Shmem:",
    "KernelStack:",      "PageTables:",   "CommitLimit:",  "Committed_AS:",
    "HardwareCorrupted:"};

enum Vmstat {
  kSwapIn,
  kSwapOut,
  kFaults,
  kMajorFaults,
  kOomKills,
  kVmstatKeys
};
constexpr const char* kVmstat[kVmstatKeys] = {"pswpin", "pswpout", "pgfault",
                                              "pgmajfault", "oom_kill"};

struct Plain {
  Meminfo key;
  const char* metric;
};
constexpr Plain kPlain[] = {
    {kDirty, "forewarn.memory.dirty"},
    {kWriteback, "forewarn.memory.writeback"},
    {kShared, "forewarn.memory.shared"},
    {kKernelStack, "forewarn.memory.kernel_stack"},
    {kPageTables, "forewarn.memory.page_tables"},
    {kCommitLimit, "forewarn.memory.commit_limit"},
    {kCommitted, "forewarn.memory.committed"},
    {kCorrupted, "forewarn.memory.hardware_corrupted"},
};

}  // namespace

absl::Status MemorySource::Sample(const SampleTime&, ReadingSink& sink) {
  const absl::Status meminfo = SampleMeminfo(sink);
  const absl::Status vmstat = SampleVmstat(sink);
  SampleEcc(sink);
  return meminfo.ok() ? vmstat : meminfo;
}

absl::Status MemorySource::SampleMeminfo(ReadingSink& sink) const {
  FOREWARN_ASSIGN_OR_RETURN(const std::string text,
                            files_.Read("/proc/meminfo"));
  Table<kMeminfoKeys> table(kMeminfo);
  table.Read(text);
  for (const Plain& plain : kPlain) {
    if (const auto kibibytes = table[plain.key]) {
      sink.Accept(plain.metric, *kibibytes * kKibibyte);
    }
  }

  if (const auto swap = table[kSwapTotal], free = table[kSwapFree];
      swap.has_value() && free.has_value()) {
    const double used = std::max(0.0, *swap - *free);
    sink.Accept("system.paging.usage", {{"system.paging.state", "used"}},
                used * kKibibyte);
    sink.Accept("system.paging.usage", {{"system.paging.state", "free"}},
                *free * kKibibyte);
    if (*swap > 0) {
      sink.Accept("system.paging.utilization",
                  {{"system.paging.state", "used"}}, used / *swap);
      sink.Accept("system.paging.utilization",
                  {{"system.paging.state", "free"}}, *free / *swap);
    }
  }

  const double total = table[kTotal].value_or(0);
  const std::optional<double> free = table[kFree];
  if (total <= 0 || !free.has_value()) {
    return absl::DataLossError(
        "read /proc/meminfo: MemTotal or MemFree is missing or no number");
  }
  sink.Accept("system.memory.limit", total * kKibibyte);
  const double buffers = table[kBuffers].value_or(0);
  const double cached = table[kCached].value_or(0);
  const double reclaimable = table[kReclaimable].value_or(0);
  const double unreclaimable = table[kUnreclaimable].value_or(0);
  const struct {
    const char* name;
    double kibibytes;
  } states[] = {
      {"used", std::max(0.0, total - *free - buffers - cached - reclaimable -
                                 unreclaimable)},
      {"free", *free},
      {"cached", cached},
      {"buffers", buffers},
      {"slab_reclaimable", reclaimable},
      {"slab_unreclaimable", unreclaimable},
  };
  for (const auto& state : states) {
    sink.Accept("system.memory.usage", {{"system.memory.state", state.name}},
                state.kibibytes * kKibibyte);
    sink.Accept("system.memory.utilization",
                {{"system.memory.state", state.name}}, state.kibibytes / total);
  }
  // Kernels before 3.14 do not estimate it.
  const double available =
      std::min(total, table[kAvailable].value_or(*free + buffers + cached));
  sink.Accept("system.memory.linux.available", available * kKibibyte);
  sink.Accept("forewarn.memory.available.utilization", available / total);
  sink.Accept("forewarn.memory.used", 1 - available / total);
  return absl::OkStatus();
}

absl::Status MemorySource::SampleVmstat(ReadingSink& sink) const {
  FOREWARN_ASSIGN_OR_RETURN(const std::string text,
                            files_.Read("/proc/vmstat"));
  Table<kVmstatKeys> table(kVmstat);
  table.Read(text);
  if (const auto in = table[kSwapIn]) {
    sink.Accept("system.paging.operations", {{"system.paging.direction", "in"}},
                *in);
  }
  if (const auto out = table[kSwapOut]) {
    sink.Accept("system.paging.operations",
                {{"system.paging.direction", "out"}}, *out);
  }
  if (const auto kills = table[kOomKills]) {
    sink.Accept("forewarn.memory.oom_kills", *kills);
  }
  const auto faults = table[kFaults];
  const auto major = table[kMajorFaults];
  if (!faults.has_value() || !major.has_value()) {
    return absl::DataLossError(
        "read /proc/vmstat: pgfault or pgmajfault is missing or no number");
  }
  sink.Accept("system.paging.faults", {{"system.paging.fault.type", "major"}},
              *major);
  sink.Accept("system.paging.faults", {{"system.paging.fault.type", "minor"}},
              std::max(0.0, *faults - *major));
  return absl::OkStatus();
}

void MemorySource::SampleEcc(ReadingSink& sink) const {
  constexpr absl::string_view kFolder = "/sys/devices/system/edac/mc";
  const auto names = files_.List(kFolder);
  if (!names.ok()) return;  // no controller that reports errors
  double correctable = 0;
  double uncorrectable = 0;
  bool any = false;
  for (const std::string& name : *names) {
    uint64_t number = 0;
    if (!absl::StartsWith(name, "mc") ||
        !ParseCount(absl::string_view(name).substr(2), number)) {
      continue;
    }
    const std::string folder = absl::StrCat(kFolder, "/", name);
    const auto good = files_.ReadNumber(absl::StrCat(folder, "/ce_count"));
    const auto bad = files_.ReadNumber(absl::StrCat(folder, "/ue_count"));
    if (!good.ok() || !bad.ok() || *good < 0 || *bad < 0) continue;
    correctable += *good;
    uncorrectable += *bad;
    any = true;
  }
  if (!any) return;
  sink.Accept("forewarn.memory.ecc.errors",
              {{"forewarn.memory.ecc.type", "correctable"}}, correctable);
  sink.Accept("forewarn.memory.ecc.errors",
              {{"forewarn.memory.ecc.type", "uncorrectable"}}, uncorrectable);
}

}  // namespace forewarn::agent
