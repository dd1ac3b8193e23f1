#include "protos/base/logging.h"

#include <unistd.h>

#include <atomic>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace forewarn::base {
namespace {

std::atomic<LogLevel> lowest_level{LogLevel::kInfo};

absl::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

// Quoted when it has to be; an endpoint's strings must not forge a line.
void AppendValue(absl::string_view value, std::string& line) {
  bool plain = !value.empty();
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) {
      plain = false;
    }
  }
  if (plain) {
    line.append(value.data(), value.size());
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      absl::StrAppend(&line, "\\x", absl::Hex(static_cast<unsigned char>(c),
                                              absl::kZeroPad2));
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

void Log(LogLevel level, absl::string_view message,
         std::initializer_list<LogField> fields) {
  if (level < lowest_level.load(std::memory_order_relaxed)) return;
  std::string line = absl::StrCat(
      "time=",
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(),
                       absl::UTCTimeZone()),
      " level=", NameOf(level), " msg=");
  AppendValue(message, line);
  for (const LogField& field : fields) {
    absl::StrAppend(&line, " ", field.key, "=");
    AppendValue(field.value.Piece(), line);
  }
  line += '\n';
  // One write: lines of several threads do not mix. A full pipe loses the
  // line rather than the process.
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, line.data(), line.size());
}

void SetLogLevel(absl::string_view level) {
  for (const LogLevel candidate : {LogLevel::kDebug, LogLevel::kInfo,
                                   LogLevel::kWarning, LogLevel::kError}) {
    if (level == NameOf(candidate)) {
      lowest_level.store(candidate, std::memory_order_relaxed);
    }
  }
}

}  // namespace forewarn::base
