#ifndef FOREWARN_AGENT_SOURCES_DISK_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_DISK_SOURCE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// Traffic, latency and queue of whole disks from /proc/diskstats, and the
// state of md arrays from /sys/block/md*/md.
//
// Left out: partitions, optical and floppy drives, drives that never had an
// operation (a card reader without a card), and what the kernel builds from
// other devices (loop, ram, zram, device mapper, md): their traffic is that
// of the disks below.
class DiskSource final : public Source {
 public:
  // Columns of /proc/diskstats after the name that are used, in its order.
  enum Column {
    kReads,
    kReadsMerged,
    kReadSectors,
    kReadMilliseconds,
    kWrites,
    kWritesMerged,
    kWrittenSectors,
    kWriteMilliseconds,
    kPending,
    kBusyMilliseconds,
    kQueueMilliseconds,
    kColumns
  };
  using Counters = std::array<uint64_t, kColumns>;

  // `files` must outlive it.
  explicit DiskSource(const HostFiles& files) : files_(files) {}

  absl::string_view name() const override { return "disk"; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  struct Device {
    std::string label;   // the name, cleaned
    bool whole = false;  // a disk of its own
    bool array = false;  // an md array
    std::optional<double> rotational;
    bool has_before = false;
    Counters before{};
    uint64_t seen = 0;  // the reading it was last in
  };

  Device Inspect(absl::string_view name) const;
  void SampleDisk(const Counters& now, absl::Duration elapsed, Device& device,
                  ReadingSink& sink) const;
  void SampleArray(absl::string_view name, const Device& device,
                   ReadingSink& sink) const;

  const HostFiles& files_;
  absl::flat_hash_map<std::string, Device> devices_;
  uint64_t reading_ = 0;
  absl::Duration last_since_boot_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_DISK_SOURCE_H_
