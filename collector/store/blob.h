#ifndef FOREWARN_COLLECTOR_STORE_BLOB_H_
#define FOREWARN_COLLECTOR_STORE_BLOB_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message_lite.h"

namespace forewarn::store {

// The message a row keeps beside its columns. kDataLoss when it cannot be
// read: `row` says which, as "ticket 7".
inline absl::Status ReadBlob(const std::string& bytes, absl::string_view row,
                             google::protobuf::MessageLite& message) {
  if (message.ParseFromString(bytes)) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("desk database: ", row, " cannot be read"));
}

}  // namespace forewarn::store

#endif  // FOREWARN_COLLECTOR_STORE_BLOB_H_
