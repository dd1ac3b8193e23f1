#ifndef FOREWARN_AGENT_SOURCES_PROCESS_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_PROCESS_SOURCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"
#include "agent/sources/process_table.h"
#include "agent/sources/source.h"
#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::agent {

// Processes: counts, the five that use most CPU and memory, how near to the
// limits of process ids and open files.
//
// Cost     one small file a process each 30 s; two more for 64 of them in
//          turn; open files are counted for four.
// Bounds   20,000 processes are looked at; more are only counted.
class ProcessSource final : public Source {
 public:
  // `files` must outlive it.
  explicit ProcessSource(const HostFiles& files);

  absl::string_view name() const override { return "process"; }
  absl::Duration interval() const override { return absl::Seconds(30); }
  // The command line of a process whose memory is locked cannot be read until
  // it is free again.
  bool may_block() const override { return true; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  // What is remembered of a process from one reading to the next.
  struct Known {
    uint64_t start_ticks = 0;
    double cpu_seconds = 0;
    uint64_t reading = 0;  // of the last sight
    uint64_t slots = 0;    // descriptors, upper bound
    uint64_t file_limit = 0;
    uint64_t limits_reading = 0;  // when the two above were read
    bool uninterruptible = false;
    absl::Duration uninterruptible_since;
    uint64_t uninterruptible_switches = 0;
  };
  struct Seen {
    ProcessStat stat;
    double cpu_ratio = 0;
  };

  void ReadProcess(const SampleTime& now, ProcessStat stat);
  void CountState(char state);
  bool IsStuck(const ProcessStat& stat, Known& known, absl::Duration now);
  void RefreshFileLimits();
  void AcceptCounts(ReadingSink& sink, size_t total);
  void AcceptFiles(ReadingSink& sink);
  void AcceptTop(const SampleTime& now, ReadingSink& sink);
  v1::Process Describe(const Seen& seen, const SampleTime& now);

  const HostFiles& files_;
  UserNames users_;
  absl::flat_hash_map<uint32_t, Known> known_;
  uint64_t reading_ = 0;
  absl::Duration last_;  // since boot

  // Of the present reading.
  std::vector<Seen> seen_;
  int running_ = 0, sleeping_ = 0, blocked_ = 0, stopped_ = 0, zombies_ = 0,
      other_ = 0;
  int stuck_ = 0;
  int status_reads_ = 0;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_PROCESS_SOURCE_H_
