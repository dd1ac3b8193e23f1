#include "collector/detect/state_archive.h"

#include "absl/strings/str_cat.h"
#include "protos/base/crc32c.h"

namespace forewarn::detect {
namespace {

// Goes up whenever any class's Fields change.
constexpr uint32_t kVersion = 6;
constexpr size_t kChecksumBytes = sizeof(uint32_t);

uint32_t ChecksumOf(absl::string_view bytes) {
  return base::Crc32c(
      bytes, base::Crc32c(absl::string_view(
                 reinterpret_cast<const char*>(&kVersion), sizeof(kVersion))));
}

}  // namespace

std::string StateWriter::Finish() {
  const uint32_t checksum = ChecksumOf(bytes_);
  Put(checksum);
  return std::move(bytes_);
}

StateReader::StateReader(absl::string_view bytes) : left_(bytes) {
  if (bytes.size() < kChecksumBytes) {
    Fail("cut off");
    return;
  }
  left_ = bytes.substr(0, bytes.size() - kChecksumBytes);
  uint32_t checksum = 0;
  std::memcpy(&checksum, bytes.data() + left_.size(), kChecksumBytes);
  if (checksum != ChecksumOf(left_)) Fail("damaged, or of another release");
}

void StateReader::Fail(absl::string_view why) {
  if (!status_.ok()) return;
  status_ =
      absl::DataLossError(absl::StrCat("read detectors' state: it is ", why));
  left_ = {};
}

absl::Status StateReader::Finish() const {
  if (status_.ok() && !left_.empty()) {
    return absl::DataLossError("read detectors' state: it goes on");
  }
  return status_;
}

bool StateReader::Take(void* out, size_t size) {
  if (left_.size() < size) Fail("cut off");
  if (!status_.ok()) return false;
  std::memcpy(out, left_.data(), size);
  left_.remove_prefix(size);
  return true;
}

uint32_t StateReader::GetSize() {
  uint32_t size = 0;
  Get(size);
  if (size <= left_.size()) return size;
  Fail("cut off");
  return 0;
}

}  // namespace forewarn::detect
