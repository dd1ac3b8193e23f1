#ifndef FOREWARN_COLLECTOR_STORE_BLOB_H_
#define FOREWARN_COLLECTOR_STORE_BLOB_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message_lite.h"
#include "protos/base/crc32c.h"

namespace forewarn::store {

// A row's message is followed by a field that is in none of them: the CRC-32C
// of all before it, since SQLite would not notice a flipped bit.
inline constexpr absl::string_view kBlobCheckTag = "\xbd\xa3\x09";  // 18999
inline constexpr size_t kBlobCheckBytes = 7;

inline std::string WriteBlob(const google::protobuf::MessageLite& message) {
  std::string bytes = message.SerializeAsString();
  const uint32_t check = base::Crc32c(bytes);
  bytes.append(kBlobCheckTag.data(), kBlobCheckTag.size());
  for (int shift = 0; shift < 32; shift += 8) {
    bytes += static_cast<char>(check >> shift);
  }
  return bytes;
}

// The message a row keeps beside its columns. kDataLoss when it cannot be
// read: `row` says which, as "ticket 7".
inline absl::Status ReadBlob(absl::string_view bytes, absl::string_view row,
                             google::protobuf::MessageLite& message) {
  if (bytes.size() >= kBlobCheckBytes) {
    const absl::string_view check =
        bytes.substr(bytes.size() - kBlobCheckBytes);
    uint32_t told = 0;
    for (size_t i = 0; i < 4; ++i) {
      told |= uint32_t{static_cast<uint8_t>(check[3 + i])} << (8 * i);
    }
    bytes.remove_suffix(kBlobCheckBytes);
    if (check.substr(0, 3) == kBlobCheckTag && told == base::Crc32c(bytes) &&
        message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return absl::OkStatus();
    }
  }
  return absl::DataLossError(absl::StrCat(
      "desk database: ", row, " is damaged; restore it from a backup"));
}

}  // namespace forewarn::store

#endif  // FOREWARN_COLLECTOR_STORE_BLOB_H_
