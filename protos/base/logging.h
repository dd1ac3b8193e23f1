#ifndef FOREWARN_PROTOS_BASE_LOGGING_H_
#define FOREWARN_PROTOS_BASE_LOGGING_H_

#include <initializer_list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace forewarn::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogField {
  absl::string_view key;
  absl::AlphaNum value;
};

// One structured line (logfmt) on standard error, control bytes escaped:
//
//   Log(LogLevel::kWarning, "stream refused", {{"endpoint", id}});
//
// Never pass a secret. Thread-safe.
void Log(LogLevel level, absl::string_view message,
         std::initializer_list<LogField> fields = {});

// Lines under this level are not written. "debug", "info", "warning", "error";
// anything else leaves it as it is. Default info.
void SetLogLevel(absl::string_view level);

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_LOGGING_H_
