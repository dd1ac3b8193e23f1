#include "agent/sources/load_source.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

struct Threads {
  int cpus = 0;
  bool has_running = false;
  bool has_blocked = false;
  uint64_t running = 0;
  uint64_t blocked = 0;
};

Threads ParseStat(absl::string_view text) {
  Threads threads;
  absl::string_view line;
  while (NextLine(text, line)) {
    const absl::string_view key = NextField(line);
    if (absl::StartsWith(key, "cpu") && key.size() > 3) {
      uint64_t number = 0;
      if (ParseCount(key.substr(3), number)) ++threads.cpus;
    } else if (key == "procs_running") {
      threads.has_running = ParseCount(NextField(line), threads.running);
    } else if (key == "procs_blocked") {
      threads.has_blocked = ParseCount(NextField(line), threads.blocked);
    }
  }
  return threads;
}

bool ParseLoad(absl::string_view text, double& load) {
  return absl::SimpleAtod(text, &load) && std::isfinite(load) && load >= 0;
}

}  // namespace

absl::Status LoadSource::Sample(const SampleTime&, ReadingSink& sink) {
  const absl::StatusOr<std::string> stat = files_.Read("/proc/stat");
  const Threads threads = stat.ok() ? ParseStat(*stat) : Threads();
  if (threads.has_running) {
    sink.Accept("forewarn.process.runnable",
                static_cast<double>(threads.running));
  }
  if (threads.has_blocked) {
    sink.Accept("forewarn.process.blocked",
                static_cast<double>(threads.blocked));
  }

  FOREWARN_ASSIGN_OR_RETURN(const std::string text,
                            files_.ReadLine("/proc/loadavg"));
  std::array<absl::string_view, 3> fields;
  double minutes_1 = 0;
  double minutes_5 = 0;
  double minutes_15 = 0;
  if (SplitFields(text, fields) < 3 || !ParseLoad(fields[0], minutes_1) ||
      !ParseLoad(fields[1], minutes_5) || !ParseLoad(fields[2], minutes_15)) {
    return absl::DataLossError("read /proc/loadavg: not three numbers");
  }
  sink.Accept("system.cpu.load_average.1m", minutes_1);
  sink.Accept("system.cpu.load_average.5m", minutes_5);
  sink.Accept("system.cpu.load_average.15m", minutes_15);
  if (threads.cpus > 0) {
    sink.Accept("forewarn.load_per_core.1m", minutes_1 / threads.cpus);
    sink.Accept("forewarn.load_per_core.15m", minutes_15 / threads.cpus);
  }
  return stat.status();
}

}  // namespace forewarn::agent
