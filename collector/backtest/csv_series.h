#ifndef FOREWARN_COLLECTOR_BACKTEST_CSV_SERIES_H_
#define FOREWARN_COLLECTOR_BACKTEST_CSV_SERIES_H_

#include <cstddef>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protos/wire/series.h"

namespace forewarn::backtest {

// The fields of one line: quotes as RFC 4180 has them, and commas between
// braces belong to the field (metric{a=1,b=2}). nullopt: a quote without end.
std::optional<std::vector<std::string>> SplitCsv(absl::string_view line);

// RFC 3339, "YYYY-MM-DD hh:mm:ss" as UTC, or Unix seconds.
std::optional<absl::Time> ParseCsvTime(absl::string_view text);

// A column's series: of the catalogue, or a gauge by that name.
absl::StatusOr<wire::SeriesDefinition> ParseColumn(absl::string_view header);

// Reads one CSV file of series, row by row. Errors: kInvalidArgument
// "file:line: what".
class CsvSeries {
 public:
  struct Row {
    std::string timestamp;  // as it stands in the file
    absl::Time time;
    std::vector<std::optional<double>> values;  // one for each series
  };

  static absl::StatusOr<CsvSeries> Open(const std::string& path);

  const std::vector<wire::SeriesDefinition>& series() const { return series_; }
  const std::vector<std::string>& names() const { return names_; }

  // Of the row read last, from 1.
  size_t line() const { return line_; }

  // False at the end of the file.
  absl::StatusOr<bool> Read(Row& row);

 private:
  explicit CsvSeries(const std::string& path) : path_(path), stream_(path) {}

  bool ReadLine(std::string& line);
  absl::Status ReadHeader();
  absl::Status Bad(absl::string_view what) const;

  std::string path_;
  std::ifstream stream_;
  size_t line_ = 0;
  std::vector<wire::SeriesDefinition> series_;
  std::vector<std::string> names_;
};

}  // namespace forewarn::backtest

#endif  // FOREWARN_COLLECTOR_BACKTEST_CSV_SERIES_H_
