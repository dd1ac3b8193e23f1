#ifndef FOREWARN_AGENT_SPOOL_SPOOL_FOLDER_H_
#define FOREWARN_AGENT_SPOOL_SPOOL_FOLDER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/spool/spool_record.h"
#include "protos/base/files.h"
#include "protos/base/record_log.h"
#include "protos/base/seeded_bug.h"

namespace forewarn::agent {

// What is known of a segment without reading it.
struct Segment {
  uint64_t number = 0;
  uint64_t bytes = 0;
  uint64_t first_position = 0;
  // Good records, in the order of the file. A failed write may have left
  // more behind them, which do not count.
  uint32_t records = 0;
  bool unreadable = false;  // tried in vain since the start
  // The last sequence of each run in it.
  std::vector<std::pair<wire::RunId, uint64_t>> runs{};

  void Add(const RecordSummary& summary);
};

// A segment's records in memory; at most one segment at a time is.
struct LoadedSegment {
  uint64_t number = 0;
  std::string contents;
  std::vector<absl::string_view> records;  // into contents
  std::vector<RecordSummary> summaries;
};

// The files of a spool: docs/formats/spool.md. Thread-compatible.
class SpoolFolder {
 public:
  // `files` must outlive it.
  SpoolFolder(base::Files& files, std::string folder);

  struct Recovered {
    std::vector<Segment> segments;  // oldest first
    uint64_t damaged_bytes = 0;     // set aside or passed over
    uint64_t next_number = 1;
  };
  // Takes stock after a start, cuts torn tails and sets damage aside. Fails
  // only when the folder cannot be made or listed.
  absl::StatusOr<Recovered> Recover();

  absl::StatusOr<std::unique_ptr<base::RecordWriter>> Create(uint64_t number);

  // Makes a created file's name durable.
  absl::Status SyncNames() {
    return base::Seeded(base::Bug::kNoFolderSync) ? absl::OkStatus()
                                                  : files_.SyncFolder(folder_);
  }

  // The first `segment.records` good records. Fewer when it was damaged since.
  absl::StatusOr<std::unique_ptr<LoadedSegment>> Load(const Segment& segment);

  absl::Status Remove(uint64_t number);

 private:
  std::string PathOf(uint64_t number, absl::string_view ending) const;
  void RepairSalvages(const std::vector<std::string>& names);
  absl::StatusOr<Segment> RecoverSegment(uint64_t number,
                                         uint64_t& damaged_bytes);
  void SetAside(uint64_t number);
  absl::Status Salvage(uint64_t number,
                       const std::vector<absl::string_view>& records);
  void KeepFewDamaged();

  base::Files& files_;
  const std::string folder_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SPOOL_SPOOL_FOLDER_H_
