#include "collector/backtest/csv_writer.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace forewarn::backtest {

absl::Status CsvWriter::Open(const std::string& path) {
  path_ = path;
  const std::filesystem::path folder =
      std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  stream_.open(path, std::ios::binary | std::ios::trunc);
  if (error || !stream_) {
    return absl::UnavailableError(absl::StrCat(
        "write ", path, ": ", error ? error.message() : "cannot open"));
  }
  return absl::OkStatus();
}

void CsvWriter::Write(absl::Span<const std::string> fields) {
  bool first = true;
  for (const std::string& field : fields) {
    if (!first) stream_ << ',';
    first = false;
    if (field.find_first_of(",\"\r\n") == std::string::npos) {
      stream_ << field;
    } else {
      stream_ << '"' << absl::StrReplaceAll(field, {{"\"", "\"\""}}) << '"';
    }
  }
  stream_ << '\n';
}

absl::Status CsvWriter::Close() {
  stream_.close();
  if (stream_.fail()) {
    return absl::UnavailableError(absl::StrCat("write ", path_, ": failed"));
  }
  return absl::OkStatus();
}

std::string CsvTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

std::string CsvNumber(double value) { return absl::StrFormat("%.9g", value); }

}  // namespace forewarn::backtest
