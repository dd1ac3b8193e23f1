#include "agent/sources/disk_source.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/sources/growth.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr double kSectorBytes = 512;  // in this file always, whatever the disk
constexpr size_t kMaxDevices = 1024;  // lines looked at; chosen
constexpr size_t kMaxName = 64;

struct Direction {
  const char* name;
  DiskSource::Column operations;
  DiskSource::Column merged;
  DiskSource::Column sectors;
  DiskSource::Column milliseconds;
};
constexpr Direction kDirections[] = {
    {"read", DiskSource::kReads, DiskSource::kReadsMerged,
     DiskSource::kReadSectors, DiskSource::kReadMilliseconds},
    {"write", DiskSource::kWrites, DiskSource::kWritesMerged,
     DiskSource::kWrittenSectors, DiskSource::kWriteMilliseconds},
};

// The folder of a block device: its name with "/" as sysfs writes it.
std::string BlockFolder(absl::string_view name) {
  return absl::StrCat("/sys/block/", absl::StrReplaceAll(name, {{"/", "!"}}));
}

bool IsNumbered(absl::string_view name, absl::string_view prefix) {
  uint64_t number = 0;
  return absl::StartsWith(name, prefix) &&
         ParseCount(name.substr(prefix.size()), number);
}

}  // namespace

absl::Status DiskSource::Sample(const SampleTime& now, ReadingSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(const std::string text,
                            files_.Read("/proc/diskstats"));
  const absl::Duration elapsed = now.since_boot - last_since_boot_;
  last_since_boot_ = now.since_boot;
  ++reading_;
  size_t lines = 0;
  size_t garbled = 0;
  absl::string_view rest = text;
  absl::string_view line;
  while (NextLine(rest, line) && lines < kMaxDevices) {
    ++lines;
    NextField(line);  // major
    NextField(line);  // minor
    const absl::string_view name = NextField(line);
    Counters counters{};
    bool good = !name.empty();
    for (uint64_t& counter : counters) {
      good = good && ParseCount(NextField(line), counter);
    }
    if (!good) {
      ++garbled;
      continue;
    }
    auto found = devices_.find(name);
    if (found == devices_.end()) {
      found = devices_.emplace(std::string(name), Inspect(name)).first;
    }
    Device& device = found->second;
    if (device.seen == reading_) continue;  // a line that stands twice
    device.seen = reading_;
    if (device.whole) SampleDisk(counters, elapsed, device, sink);
    if (device.array) SampleArray(name, device, sink);
  }
  absl::erase_if(devices_, [this](const auto& entry) {
    return entry.second.seen != reading_;
  });
  if (lines == 0) return absl::NotFoundError("no block devices");
  if (garbled == lines) {
    return absl::DataLossError("read /proc/diskstats: no readable line");
  }
  return absl::OkStatus();
}

DiskSource::Device DiskSource::Inspect(absl::string_view name) const {
  Device device;
  device.label = CleanText(name, kMaxName);
  const std::string folder = BlockFolder(name);
  const auto link = files_.ReadLink(folder);
  if (!link.ok()) return device;  // a partition
  device.array = files_.Exists(absl::StrCat(folder, "/md/level"));
  // An NVMe drive that could have several paths stands under virtual/, too.
  device.whole = (!absl::StrContains(*link, "/devices/virtual/") ||
                  absl::StrContains(*link, "/nvme-subsystem/")) &&
                 !IsNumbered(name, "sr") && !IsNumbered(name, "fd");
  const auto rotational =
      files_.ReadNumber(absl::StrCat(folder, "/queue/rotational"));
  if (rotational.ok()) device.rotational = *rotational != 0 ? 1 : 0;
  return device;
}

void DiskSource::SampleDisk(const Counters& now, absl::Duration elapsed,
                            Device& device, ReadingSink& sink) const {
  if (now[kReads] + now[kWrites] == 0) {
    device.has_before = false;
    return;
  }
  const absl::string_view label = device.label;
  const auto seconds = [](uint64_t milliseconds) {
    return static_cast<double>(milliseconds) / 1000;
  };
  for (const Direction& direction : kDirections) {
    const auto accept = [&](absl::string_view metric, double value) {
      sink.Accept(
          metric,
          {{"disk.io.direction", direction.name}, {"system.device", label}},
          value);
    };
    accept("system.disk.io",
           static_cast<double>(now[direction.sectors]) * kSectorBytes);
    accept("system.disk.operations",
           static_cast<double>(now[direction.operations]));
    accept("system.disk.merged", static_cast<double>(now[direction.merged]));
    accept("system.disk.operation_time", seconds(now[direction.milliseconds]));
  }
  const auto accept = [&](absl::string_view metric, double value) {
    sink.Accept(metric, {{"system.device", label}}, value);
  };
  accept("system.disk.io_time", seconds(now[kBusyMilliseconds]));
  accept("forewarn.disk.pending", static_cast<double>(now[kPending]));
  if (device.rotational.has_value()) {
    accept("forewarn.disk.rotational", *device.rotational);
  }

  const Counters before = device.before;
  const bool has_before = device.has_before;
  device.before = now;
  device.has_before = true;
  const double elapsed_seconds = absl::ToDoubleSeconds(elapsed);
  if (!has_before || elapsed_seconds <= 0) return;

  double operations = 0;
  double operation_seconds = 0;
  for (const Direction& direction : kDirections) {
    const auto done =
        Growth(before[direction.operations], now[direction.operations]);
    const auto took =
        Growth(before[direction.milliseconds], now[direction.milliseconds]);
    if (!done.has_value() || !took.has_value() || *done == 0) continue;
    operations += static_cast<double>(*done);
    operation_seconds += seconds(*took);
    sink.Accept(
        "forewarn.disk.latency",
        {{"disk.io.direction", direction.name}, {"system.device", label}},
        seconds(*took) / static_cast<double>(*done));
  }
  if (const auto busy =
          Growth(before[kBusyMilliseconds], now[kBusyMilliseconds])) {
    accept("forewarn.disk.utilization",
           std::min(1.0, seconds(*busy) / elapsed_seconds));
  }
  if (const auto queued =
          Growth(before[kQueueMilliseconds], now[kQueueMilliseconds])) {
    const double queue = seconds(*queued) / elapsed_seconds;
    accept("forewarn.disk.queue", queue);
    // A disk that finished nothing takes at least as long as we have waited.
    const double latency = operations > 0      ? operation_seconds / operations
                           : now[kPending] > 0 ? elapsed_seconds
                                               : 0;
    accept("forewarn.disk.backlog", queue * latency);
  }
}

void DiskSource::SampleArray(absl::string_view name, const Device& device,
                             ReadingSink& sink) const {
  const std::string folder = absl::StrCat(BlockFolder(name), "/md");
  const auto accept = [&](absl::string_view metric, double value) {
    sink.Accept(metric, {{"system.device", device.label}}, value);
  };
  // Levels without redundancy have neither of these two.
  const auto missing = files_.ReadNumber(absl::StrCat(folder, "/degraded"));
  if (missing.ok()) accept("forewarn.raid.disks.missing", *missing);
  const auto mismatches =
      files_.ReadNumber(absl::StrCat(folder, "/mismatch_cnt"));
  if (mismatches.ok()) accept("forewarn.raid.mismatches", *mismatches);
  const auto members = files_.List(folder);
  if (!members.ok()) return;
  int failed = 0;
  for (const std::string& member : *members) {
    if (!absl::StartsWith(member, "dev-")) continue;
    const auto state =
        files_.ReadLine(absl::StrCat(folder, "/", member, "/state"));
    if (state.ok() && absl::StrContains(*state, "faulty")) ++failed;
  }
  accept("forewarn.raid.disks.failed", failed);
}

}  // namespace forewarn::agent
