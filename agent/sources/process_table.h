#ifndef FOREWARN_AGENT_SOURCES_PROCESS_TABLE_H_
#define FOREWARN_AGENT_SOURCES_PROCESS_TABLE_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"

namespace forewarn::agent {

// What /proc/<pid>/stat says of a process.
struct ProcessStat {
  uint32_t pid = 0;
  std::string name;  // as the kernel has it: at most 15 bytes, any bytes
  char state = '?';
  double cpu_seconds = 0;
  uint64_t start_ticks = 0;  // since boot; with the pid a process's identity
  uint64_t resident_bytes = 0;
};

// kDataLoss when the line is none.
absl::StatusOr<ProcessStat> ParseProcessStat(absl::string_view line);

// What /proc/<pid>/status adds.
struct ProcessStatus {
  uint32_t user_id = 0;
  uint64_t descriptor_slots = 0;  // FDSize: grows with use, never shrinks
  uint64_t switches = 0;          // of context, voluntary or not
};

ProcessStatus ParseProcessStatus(absl::string_view text);

// The soft limit of open files in /proc/<pid>/limits; 0 when it is not there
// or unlimited.
uint64_t ParseFileLimit(absl::string_view limits);

// The arguments of /proc/<pid>/cmdline in one line, cleaned and cut. What
// follows a word such as "password" is masked: command lines leave the
// endpoint.
std::string CleanCommand(absl::string_view arguments, size_t max_bytes);

// Names of users as /etc/passwd has them, read again every ten minutes.
// Thread-compatible.
class UserNames {
 public:
  // `files` must outlive it.
  explicit UserNames(const HostFiles& files) : files_(files) {}

  // The user's name, cleaned; the number where there is no name.
  std::string NameOf(uint32_t user_id, absl::Duration since_boot);

 private:
  const HostFiles& files_;
  absl::Duration read_again_ = absl::ZeroDuration();
  absl::flat_hash_map<uint32_t, std::string> names_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_PROCESS_TABLE_H_
