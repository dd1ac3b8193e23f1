#ifndef FOREWARN_COLLECTOR_HISTORY_APPEND_LOG_H_
#define FOREWARN_COLLECTOR_HISTORY_APPEND_LOG_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "protos/base/files.h"
#include "protos/base/record_log.h"

namespace forewarn::history {

// What was acknowledged and is not sealed yet: a folder of record logs
// ("segments"), numbered upwards, each written once and dropped as a whole.
// Thread-compatible.
class AppendLog {
 public:
  using Accept =
      std::function<void(absl::string_view record, uint64_t segment)>;

  // Hands every good record to `accept`, in the order they were appended.
  // Damage is passed over and counted. What the last run may not have synced
  // (a kill leaves it in the page cache, a failed sync not even there) is
  // written again first: who finds it here may rely on it. `files` must
  // outlive it.
  static absl::StatusOr<std::unique_ptr<AppendLog>> Open(
      base::Files& files, const std::string& folder, const Accept& accept);

  // OK: the records survive a power cut. After an error some of them may be
  // there or not, and the next ones begin a new segment.
  absl::Status Append(absl::Span<const std::string> records);

  // The segment that the next record goes to is a new one.
  void Roll() { writer_.reset(); }

  // Removes the segments before `segment`.
  absl::Status DropBefore(uint64_t segment);

  // Where the next record goes.
  uint64_t segment() const { return writer_ == nullptr ? next_ : next_ - 1; }
  uint64_t oldest() const { return oldest_; }
  uint64_t segment_bytes() const {
    return writer_ == nullptr ? 0 : writer_->bytes();
  }
  uint64_t damaged_bytes() const { return damaged_bytes_; }

 private:
  AppendLog(base::Files& files, std::string folder)
      : files_(files), folder_(std::move(folder)) {}

  std::string PathOf(uint64_t segment) const;
  absl::Status Replay(uint64_t segment, const Accept& accept);

  base::Files& files_;
  const std::string folder_;
  std::vector<std::string> doubtful_;  // while opening
  std::unique_ptr<base::RecordWriter> writer_;
  uint64_t next_ = 1;    // number of the next segment to be made
  uint64_t oldest_ = 1;  // that may still be there
  uint64_t damaged_bytes_ = 0;
};

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_APPEND_LOG_H_
