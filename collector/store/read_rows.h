#ifndef FOREWARN_COLLECTOR_STORE_READ_ROWS_H_
#define FOREWARN_COLLECTOR_STORE_READ_ROWS_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "collector/store/blob.h"
#include "collector/store/sqlite_statement.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::store {

// Reads the rest of `statement`, whose column 0 is a row's id and 1 its body.
// A damaged row is told and left out: the others are still needed.
// `complete` gets each message and the id of its row.
template <typename Message>
absl::StatusOr<std::vector<Message>> ReadAll(
    Statement& statement, absl::string_view noun,
    absl::FunctionRef<void(Message&, uint32_t)> complete = [](Message&,
                                                              uint32_t) {}) {
  std::vector<Message> messages;
  while (true) {
    FOREWARN_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return messages;
    const absl::Status read =
        ReadBlob(statement.Text(1), absl::StrCat(noun, " ", statement.Int(0)),
                 messages.emplace_back());
    if (read.ok()) {
      complete(messages.back(), static_cast<uint32_t>(statement.Int(0)));
      continue;
    }
    messages.pop_back();
    base::Log(base::LogLevel::kError, "row left out",
              {{"reason", base::ToLine(read)}});
  }
}

template <typename Message>
absl::StatusOr<Message> ReadOne(Statement& statement, absl::string_view noun,
                                uint32_t id) {
  FOREWARN_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return absl::NotFoundError(absl::StrCat("no ", noun, " ", id));
  Message message;
  FOREWARN_RETURN_IF_ERROR(ReadBlob(
      statement.Text(1), absl::StrCat(noun, " ", statement.Int(0)), message));
  return message;
}

}  // namespace forewarn::store

#endif  // FOREWARN_COLLECTOR_STORE_READ_ROWS_H_
