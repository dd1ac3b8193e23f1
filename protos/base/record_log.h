#ifndef FOREWARN_PROTOS_BASE_RECORD_LOG_H_
#define FOREWARN_PROTOS_BASE_RECORD_LOG_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protos/base/files.h"

// Checksummed records that resynchronise after damage:
// docs/formats/record_log.md.
namespace forewarn::base {

inline constexpr uint64_t kMaxRecordBytes = uint64_t{8} << 20;
inline constexpr uint64_t kRecordLogHeaderBytes = 32;
inline constexpr uint64_t kRecordHeadBytes = 16;

// Writes one new file. After an error the file is not to be written any more:
// every later call fails too. Thread-compatible.
class RecordWriter {
 public:
  // Makes `path`, which must not exist. `files` must outlive the writer.
  static absl::StatusOr<std::unique_ptr<RecordWriter>> Create(
      Files& files, const std::string& path);

  // kInvalidArgument for a payload that is empty or over kMaxRecordBytes.
  absl::Status Append(absl::string_view payload);

  // Everything appended survives a power cut once this returns OK.
  absl::Status Sync();

  // Of the file, as far as this writer wrote it.
  uint64_t bytes() const { return bytes_; }

 private:
  RecordWriter(std::unique_ptr<AppendFile> file, uint32_t salt);

  const std::unique_ptr<AppendFile> file_;
  const uint32_t salt_;
  uint64_t bytes_ = 0;
  absl::Status broken_;
};

// Reads the records of a file held in memory. Thread-compatible.
class RecordReader {
 public:
  // kDataLoss when neither header is good, kUnimplemented for a later
  // version. `contents` must outlive the reader.
  static absl::StatusOr<RecordReader> Open(absl::string_view contents);

  // The next good record, a view into `contents`; false at the end.
  bool Next(absl::string_view& payload);

  // Where the last good record, or the header, ended.
  uint64_t good_end() const { return good_end_; }

  // Passed over between good records so far: damage.
  uint64_t damaged_bytes() const { return damaged_bytes_; }

  // After Next returned false: what stands behind the last good record.
  uint64_t torn_bytes() const { return contents_.size() - good_end_; }

 private:
  RecordReader(absl::string_view contents, uint32_t salt)
      : contents_(contents), salt_(salt) {}

  // Length of the payload when a good head stands at `position`.
  bool HeadAt(uint64_t position, uint64_t& length) const;

  absl::string_view contents_;
  uint32_t salt_;
  uint64_t position_ = kRecordLogHeaderBytes;
  uint64_t good_end_ = kRecordLogHeaderBytes;
  uint64_t damaged_bytes_ = 0;
};

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_RECORD_LOG_H_
