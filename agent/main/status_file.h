#ifndef FOREWARN_AGENT_MAIN_STATUS_FILE_H_
#define FOREWARN_AGENT_MAIN_STATUS_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protos/base/files.h"

namespace forewarn::agent {

// What `run` tells of itself in status.json of the state folder, for `status`
// and `doctor`. Not durable and not precious: no sync.
struct AgentStatus {
  struct SourceStatus {
    std::string name;
    uint64_t failures = 0;
    absl::Duration age;  // since it last read well
    absl::Duration interval;
  };

  absl::Time written_at = absl::UnixEpoch();
  std::string version;
  std::string endpoint_id;
  std::string phase;
  std::string collector;
  absl::Time since = absl::UnixEpoch();
  absl::Time last_ack = absl::UnixEpoch();  // epoch = none yet
  std::string last_error;
  absl::Time certificate_expires = absl::UnixEpoch();
  absl::Duration tick;
  uint64_t series = 0;
  uint64_t spool_bytes = 0;
  uint64_t spool_limit_bytes = 0;
  uint64_t spool_batches = 0;
  uint64_t dropped_samples = 0;
  std::string spool_error;
  std::vector<SourceStatus> sources;

  // `running` and `pid` as the reader of the file finds them.
  std::string ToJson(bool running, int pid) const;
};

// kNotFound when no agent ever ran here, kDataLoss when it is unreadable.
absl::StatusOr<AgentStatus> ReadStatusFile(base::Files& files,
                                           const std::string& path);

// Replaces the file at once, without a sync.
absl::Status WriteStatusFile(const std::string& path,
                             const AgentStatus& status);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_MAIN_STATUS_FILE_H_
