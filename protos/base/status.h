#ifndef FOREWARN_PROTOS_BASE_STATUS_H_
#define FOREWARN_PROTOS_BASE_STATUS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace forewarn::base {

// The one place where errno becomes a Status. `deed` is what was tried, with
// its object: "read /proc/pressure/cpu".
absl::Status ErrnoStatus(int error_number, absl::string_view deed);

// `status` with one clause in front: "<clause>: <message>". OK stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view clause);

// "INVALID_ARGUMENT: message", on one line, for logs and terminals.
std::string ToLine(const absl::Status& status);

}  // namespace forewarn::base

#define FOREWARN_CONCAT_INNER(a, b) a##b
#define FOREWARN_CONCAT(a, b) FOREWARN_CONCAT_INNER(a, b)

// Newer Abseil has these in absl/status/status_macros.h.
#define FOREWARN_RETURN_IF_ERROR(expression) \
  FOREWARN_RETURN_IF_ERROR_INNER(            \
      FOREWARN_CONCAT(forewarn_status_, __COUNTER__), expression)

#define FOREWARN_RETURN_IF_ERROR_INNER(temporary, expression)  \
  do {                                                         \
    if (absl::Status temporary = (expression); !temporary.ok()) { \
      return temporary;                                        \
    }                                                          \
  } while (false)

#define FOREWARN_ASSIGN_OR_RETURN(declaration, expression) \
  FOREWARN_ASSIGN_OR_RETURN_INNER(                         \
      FOREWARN_CONCAT(forewarn_statusor_, __COUNTER__), declaration, expression)

#define FOREWARN_ASSIGN_OR_RETURN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                            \
  if (!temporary.ok()) return temporary.status();                           \
  declaration = *std::move(temporary)

#endif  // FOREWARN_PROTOS_BASE_STATUS_H_
