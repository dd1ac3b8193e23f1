#ifndef FOREWARN_COLLECTOR_API_REQUEST_PATH_H_
#define FOREWARN_COLLECTOR_API_REQUEST_PATH_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace forewarn::api {

// A request target taken apart, once, for everyone behind it.
struct RequestPath {
  std::vector<std::string> segments;  // decoded; "/" has none
  std::vector<std::pair<std::string, std::string>> query;  // decoded
};

// kInvalidArgument for every path that two readers could understand in two
// ways: no leading slash, an empty, "." or ".." segment, a trailing slash, a
// byte that must be escaped, an escape that is broken or hides a slash, a
// backslash, a percent sign or a control byte; and for a query with a broken
// escape, a key without a name or twice, over 32 keys, or bytes that are not
// UTF-8.
absl::StatusOr<RequestPath> ParseTarget(absl::string_view target);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_REQUEST_PATH_H_
