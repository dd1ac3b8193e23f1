#include "collector/history/append_log.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "protos/base/logging.h"
#include "protos/base/seeded_bug.h"
#include "protos/base/status.h"

namespace forewarn::history {
namespace {

constexpr uint64_t kLargestSegment = uint64_t{4} << 30;
constexpr char kSuffix[] = ".log";
// Marks: records that no entry begins like.
//
// Begins a group. Whatever is before it in its segment was synced, as a
// segment ends with the first error.
constexpr absl::string_view kGroup("\0g", 2);
// Around all that was doubtful when the log was opened: once both are there,
// the last groups of the segments before need not be.
constexpr absl::string_view kSettling("\0s", 2);
constexpr absl::string_view kSettled("\0e", 2);

}  // namespace

std::string AppendLog::PathOf(uint64_t segment) const {
  return absl::StrCat(folder_, "/", absl::StrFormat("%012d", segment), kSuffix);
}

absl::StatusOr<std::unique_ptr<AppendLog>> AppendLog::Open(
    base::Files& files, const std::string& folder, const Accept& accept) {
  FOREWARN_RETURN_IF_ERROR(files.MakeFolder(folder));
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            files.List(folder));
  std::unique_ptr<AppendLog> log(new AppendLog(files, folder));
  std::vector<uint64_t> segments;
  for (absl::string_view name : names) {
    uint64_t segment = 0;
    if (absl::ConsumeSuffix(&name, kSuffix) &&
        absl::SimpleAtoi(name, &segment)) {
      segments.push_back(segment);
    }
  }
  std::sort(segments.begin(), segments.end());
  for (const uint64_t segment : segments) {
    FOREWARN_RETURN_IF_ERROR(log->Replay(segment, accept));
  }
  if (!segments.empty()) {
    log->oldest_ = segments.front();
    log->next_ = segments.back() + 1;
  }
  if (log->doubtful_.empty()) return log;
  std::vector<std::string> again = {std::string(kSettling)};
  again.insert(again.end(), std::make_move_iterator(log->doubtful_.begin()),
               std::make_move_iterator(log->doubtful_.end()));
  again.emplace_back(kSettled);
  log->doubtful_.clear();
  FOREWARN_RETURN_IF_ERROR(log->Append(again));
  return log;
}

absl::Status AppendLog::Replay(uint64_t segment, const Accept& accept) {
  const std::string path = PathOf(segment);
  FOREWARN_ASSIGN_OR_RETURN(const std::string contents,
                            files_.Read(path, kLargestSegment));
  absl::StatusOr<base::RecordReader> reader =
      base::RecordReader::Open(contents);
  if (!reader.ok()) {
    // A crash right after it was made leaves an empty one.
    if (contents.empty()) return absl::OkStatus();
    damaged_bytes_ += contents.size();
    base::Log(base::LogLevel::kError, "history log segment set aside",
              {{"path", path}, {"reason", base::ToLine(reader.status())}});
    return files_.Rename(path, path + ".damaged");
  }
  std::vector<std::string> last_group;
  bool settling = false;
  absl::string_view record;
  while (reader->Next(record)) {
    if (record == kGroup) {
      last_group.clear();
    } else if (record == kSettling) {
      settling = true;
    } else if (record == kSettled) {
      settling = false;
      doubtful_.clear();
    } else {
      last_group.emplace_back(record);
      accept(record, segment);
    }
  }
  // Half of it is nothing: all of it is in the segments before.
  if (!settling) {
    doubtful_.insert(doubtful_.end(),
                     std::make_move_iterator(last_group.begin()),
                     std::make_move_iterator(last_group.end()));
  }
  if (reader->damaged_bytes() > 0) {
    damaged_bytes_ += reader->damaged_bytes();
    base::Log(base::LogLevel::kError, "history log is damaged",
              {{"path", path}, {"bytes", reader->damaged_bytes()}});
  }
  return absl::OkStatus();
}

absl::Status AppendLog::Append(absl::Span<const std::string> records) {
  if (writer_ == nullptr) {
    // The number is used up even if making the file fails halfway.
    const uint64_t segment = next_++;
    FOREWARN_ASSIGN_OR_RETURN(
        std::unique_ptr<base::RecordWriter> writer,
        base::RecordWriter::Create(files_, PathOf(segment)));
    if (!base::Seeded(base::Bug::kNoFolderSync)) {
      FOREWARN_RETURN_IF_ERROR(files_.SyncFolder(folder_));
    }
    // Only now: a segment whose name is not durable may hold nothing.
    writer_ = std::move(writer);
  }
  absl::Status status = writer_->Append(kGroup);
  for (const std::string& record : records) {
    status.Update(writer_->Append(record));
  }
  if (status.ok() && !base::Seeded(base::Bug::kAckBeforeSync)) {
    status = writer_->Sync();
  }
  if (!status.ok()) writer_.reset();
  return status;
}

absl::Status AppendLog::DropBefore(uint64_t segment) {
  for (; oldest_ < std::min(segment, next_); ++oldest_) {
    const absl::Status removed = files_.Remove(PathOf(oldest_));
    if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  }
  return absl::OkStatus();
}

}  // namespace forewarn::history
