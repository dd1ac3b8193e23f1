#include "protos/base/record_log.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protos/base/crc32c.h"
#include "protos/base/seeded_bug.h"
#include "protos/base/status.h"

namespace forewarn::base {
namespace {

constexpr absl::string_view kMagic = "FWRL";
constexpr uint32_t kVersion = 1;
constexpr uint32_t kMark = 0xF0E3A51C;

void AppendU32(uint32_t number, std::string& out) {
  for (int shift = 0; shift < 32; shift += 8) {
    out += static_cast<char>(number >> shift & 0xff);
  }
}

uint32_t U32At(absl::string_view bytes, uint64_t position) {
  uint32_t number = 0;
  for (int i = 3; i >= 0; --i) {
    number = number << 8 | static_cast<unsigned char>(bytes[position + i]);
  }
  return number;
}

uint32_t SaltedCrc(uint32_t salt, absl::string_view bytes) {
  std::string prefix;
  AppendU32(Seeded(Bug::kUnsaltedChecksum) ? 0 : salt, prefix);
  return Crc32c(bytes, Crc32c(prefix));
}

}  // namespace

RecordWriter::RecordWriter(std::unique_ptr<AppendFile> file, uint32_t salt)
    : file_(std::move(file)), salt_(salt) {}

absl::StatusOr<std::unique_ptr<RecordWriter>> RecordWriter::Create(
    Files& files, const std::string& path) {
  const absl::StatusOr<std::string> there = files.Read(path, 0);
  if (!absl::IsNotFound(there.status())) {
    return absl::AlreadyExistsError(
        absl::StrCat("make record log ", path, ": there is one already"));
  }
  const uint32_t salt = std::random_device()();
  std::string header(kMagic);
  AppendU32(kVersion, header);
  AppendU32(salt, header);
  AppendU32(Crc32c(header), header);
  FOREWARN_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file,
                            files.OpenAppend(path));
  FOREWARN_RETURN_IF_ERROR(file->Append(absl::StrCat(header, header)));
  std::unique_ptr<RecordWriter> writer(new RecordWriter(std::move(file), salt));
  writer->bytes_ = kRecordLogHeaderBytes;
  return writer;
}

absl::Status RecordWriter::Append(absl::string_view payload) {
  FOREWARN_RETURN_IF_ERROR(broken_);
  if (payload.empty() || payload.size() > kMaxRecordBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("append record: ", payload.size(), " bytes, must be 1 to ",
                     kMaxRecordBytes));
  }
  std::string record;
  record.reserve(kRecordHeadBytes + payload.size());
  AppendU32(kMark, record);
  AppendU32(static_cast<uint32_t>(payload.size()), record);
  AppendU32(SaltedCrc(salt_, record), record);
  AppendU32(Crc32c(payload, SaltedCrc(salt_, record)), record);
  record.append(payload.data(), payload.size());
  broken_ = file_->Append(record);
  if (broken_.ok()) bytes_ += record.size();
  return broken_;
}

absl::Status RecordWriter::Sync() {
  FOREWARN_RETURN_IF_ERROR(broken_);
  // After a failed sync the kernel may have dropped the pages: nothing that
  // this file says later can be trusted.
  broken_ = file_->Sync();
  if (!broken_.ok() && Seeded(Bug::kRetrySync)) broken_ = file_->Sync();
  return broken_;
}

absl::StatusOr<RecordReader> RecordReader::Open(absl::string_view contents) {
  for (const uint64_t start : {uint64_t{0}, kRecordLogHeaderBytes / 2}) {
    if (contents.size() < kRecordLogHeaderBytes) break;
    const absl::string_view header = contents.substr(start, 16);
    if (header.substr(0, 4) != kMagic ||
        U32At(header, 12) != Crc32c(header.substr(0, 12))) {
      continue;
    }
    if (U32At(header, 4) != kVersion) {
      return absl::UnimplementedError(
          absl::StrCat("open record log: version ", U32At(header, 4),
                       ", this program knows ", kVersion));
    }
    return RecordReader(contents, U32At(header, 8));
  }
  return absl::DataLossError("open record log: no good header");
}

bool RecordReader::HeadAt(uint64_t position, uint64_t& length) const {
  if (contents_.size() - position < kRecordHeadBytes) return false;
  if (U32At(contents_, position) != kMark) return false;
  length = U32At(contents_, position + 4);
  return length > 0 && length <= kMaxRecordBytes &&
         U32At(contents_, position + 8) ==
             SaltedCrc(salt_, contents_.substr(position, 8));
}

bool RecordReader::Next(absl::string_view& payload) {
  while (position_ < contents_.size()) {
    uint64_t length = 0;
    if (!HeadAt(position_, length)) {
      ++position_;
      continue;
    }
    const uint64_t start = position_ + kRecordHeadBytes;
    if (length > contents_.size() - start) {
      // A torn tail, or a lie about the length: look on behind the head.
      position_ = start;
      continue;
    }
    const absl::string_view candidate = contents_.substr(start, length);
    const uint64_t begin = position_;
    position_ = start + length;
    if (Crc32c(candidate, SaltedCrc(salt_, contents_.substr(begin, 12))) !=
        U32At(contents_, begin + 12)) {
      continue;
    }
    damaged_bytes_ += begin - good_end_;
    good_end_ = position_;
    payload = candidate;
    return true;
  }
  return false;
}

}  // namespace forewarn::base
