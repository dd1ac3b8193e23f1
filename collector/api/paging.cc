#include "collector/api/paging.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "protos/base/status.h"

namespace forewarn::api {

absl::StatusOr<Page> PageOf(const Call& call, char kind) {
  Page page;
  FOREWARN_ASSIGN_OR_RETURN(page.limit,
                            call.QueryNumber("limit", 100, 1, 1000));
  const absl::string_view cursor = call.Query("cursor");
  if (cursor.empty()) return page;
  FOREWARN_ASSIGN_OR_RETURN(page.cursor, ParseCursor(cursor, kind));
  return page;
}

absl::StatusOr<uint32_t> ParseCursor(absl::string_view text, char kind) {
  uint32_t cursor = 0;
  if (text.empty() || text[0] != kind ||
      !absl::SimpleAtoi(text.substr(1), &cursor) || cursor == 0) {
    return absl::InvalidArgumentError(
        "cursor must be the next_cursor of the page before");
  }
  return cursor;
}

std::string FormatCursor(char kind, uint32_t cursor) {
  return absl::StrCat(absl::string_view(&kind, 1), cursor);
}

}  // namespace forewarn::api
