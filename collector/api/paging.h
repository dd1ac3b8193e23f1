#ifndef FOREWARN_COLLECTOR_API_PAGING_H_
#define FOREWARN_COLLECTOR_API_PAGING_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "collector/api/router.h"

namespace forewarn::api {

// A page of a list: `limit` rows (default 100, at most 1000) from `cursor` on.
// A cursor is opaque to the caller: what the page before gave.
struct Page {
  uint32_t cursor = 0;  // 0: the first page
  uint32_t limit = 100;
};

// From the query keys cursor and limit; kInvalidArgument when they are wrong.
// `kind` keeps the cursors of different lists apart.
absl::StatusOr<Page> PageOf(const Call& call, char kind);

std::string FormatCursor(char kind, uint32_t cursor);
absl::StatusOr<uint32_t> ParseCursor(absl::string_view text, char kind);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_PAGING_H_
