#include "collector/backtest/csv_series.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "protos/wire/metric_catalog.h"

namespace forewarn::backtest {
namespace {

constexpr size_t kMaxLine = 1 << 20;
constexpr size_t kMaxColumns = 10000;

}  // namespace

std::optional<std::vector<std::string>> SplitCsv(absl::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  int braces = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += '"';
        ++i;
      } else {
        quoted = false;
      }
      continue;
    }
    if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == ',' && braces == 0) {
      fields.emplace_back();
    } else {
      if (c == '{') ++braces;
      if (c == '}' && braces > 0) --braces;
      fields.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return fields;
}

std::optional<absl::Time> ParseCsvTime(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  double seconds = 0;
  if (absl::SimpleAtod(text, &seconds)) {
    // Until the year 9999: what is beyond is no time in seconds.
    if (!(seconds > -62135596800.0 && seconds < 253402300800.0)) {
      return std::nullopt;
    }
    return absl::UnixEpoch() + absl::Seconds(seconds);
  }
  absl::Time time;
  std::string ignored;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &ignored) ||
      absl::ParseTime("%Y-%m-%d%ET%H:%M:%E*S", text, absl::UTCTimeZone(), &time,
                      &ignored) ||
      absl::ParseTime("%Y-%m-%d %H:%M:%E*S", text, absl::UTCTimeZone(), &time,
                      &ignored)) {
    return time;
  }
  return std::nullopt;
}

absl::StatusOr<wire::SeriesDefinition> ParseColumn(absl::string_view header) {
  header = absl::StripAsciiWhitespace(header);
  wire::SeriesDefinition definition;
  definition.digits = wire::kAllBits;
  absl::string_view name = header;
  const size_t brace = header.find('{');
  if (brace != absl::string_view::npos && absl::EndsWith(header, "}")) {
    name = header.substr(0, brace);
    const absl::string_view list =
        header.substr(brace + 1, header.size() - brace - 2);
    for (const absl::string_view pair :
         absl::StrSplit(list, ',', absl::SkipEmpty())) {
      const std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(pair, absl::MaxSplits('=', 1));
      if (parts.first.empty() || parts.first.size() == pair.size()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "column '", header, "': attribute '", pair, "' is no key=value"));
      }
      definition.attributes.emplace_back(
          std::string(absl::StripAsciiWhitespace(parts.first)),
          std::string(absl::StripAsciiWhitespace(parts.second)));
    }
    std::sort(definition.attributes.begin(), definition.attributes.end());
  }
  if (name.empty()) return absl::InvalidArgumentError("a column has no name");
  definition.metric = std::string(name);
  if (const wire::MetricInfo* metric = wire::FindMetric(name)) {
    definition.unit = metric->unit;
    definition.kind = metric->kind;
    definition.digits = metric->digits;
  }
  return definition;
}

absl::Status CsvSeries::Bad(absl::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrCat(path_, ":", line_, ": ", what));
}

bool CsvSeries::ReadLine(std::string& line) {
  while (std::getline(stream_, line)) {
    ++line_;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) return true;
  }
  return false;
}

absl::StatusOr<CsvSeries> CsvSeries::Open(const std::string& path) {
  CsvSeries file(path);
  if (!file.stream_) {
    return absl::NotFoundError(absl::StrCat("read ", path, ": cannot open"));
  }
  const absl::Status status = file.ReadHeader();
  if (!status.ok()) return status;
  return file;
}

absl::Status CsvSeries::ReadHeader() {
  std::string line;
  if (!ReadLine(line)) return Bad("the file is empty; a header was meant");
  if (line.size() > kMaxLine) return Bad("the header is longer than 1 MiB");
  absl::string_view text = line;
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");  // byte order mark
  const auto fields = SplitCsv(text);
  if (!fields) return Bad("a quote without end");
  if (absl::AsciiStrToLower((*fields)[0]) != "timestamp") {
    return Bad(absl::StrCat("the first column is '", (*fields)[0],
                            "'; 'timestamp' was meant"));
  }
  if (fields->size() < 2) return Bad("there is no column besides timestamp");
  if (fields->size() > kMaxColumns) return Bad("more than 10000 columns");
  absl::flat_hash_set<std::string> seen;
  for (size_t i = 1; i < fields->size(); ++i) {
    absl::StatusOr<wire::SeriesDefinition> definition =
        ParseColumn((*fields)[i]);
    if (!definition.ok()) return Bad(definition.status().message());
    std::string name =
        wire::SeriesName(definition->metric, definition->attributes);
    if (!seen.insert(name).second) {
      return Bad(absl::StrCat("column '", name, "' stands twice"));
    }
    names_.push_back(std::move(name));
    series_.push_back(*std::move(definition));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> CsvSeries::Read(Row& row) {
  std::string line;
  if (!ReadLine(line)) {
    if (stream_.bad()) return absl::DataLossError("read " + path_ + ": failed");
    return false;
  }
  if (line.size() > kMaxLine) return Bad("a line is longer than 1 MiB");
  auto fields = SplitCsv(line);
  if (!fields) return Bad("a quote without end");
  if (fields->size() != series_.size() + 1) {
    return Bad(absl::StrCat(fields->size(), " fields; the header has ",
                            series_.size() + 1));
  }
  const std::optional<absl::Time> time = ParseCsvTime((*fields)[0]);
  if (!time) {
    return Bad(absl::StrCat(
        "'", (*fields)[0],
        "' is no time; RFC 3339, YYYY-MM-DD hh:mm:ss or Unix seconds was "
        "meant"));
  }
  row.timestamp = std::move((*fields)[0]);
  row.time = *time;
  row.values.assign(series_.size(), std::nullopt);
  for (size_t i = 0; i < series_.size(); ++i) {
    const absl::string_view cell = absl::StripAsciiWhitespace((*fields)[i + 1]);
    if (cell.empty()) continue;
    double value = 0;
    if (!absl::SimpleAtod(cell, &value)) {
      return Bad(
          absl::StrCat("column '", names_[i], "': '", cell, "' is no number"));
    }
    if (std::isfinite(value)) row.values[i] = value;
  }
  return true;
}

}  // namespace forewarn::backtest
