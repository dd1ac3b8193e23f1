#include "tests/bench/detection/score_series.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "collector/backtest/csv_series.h"
#include "collector/backtest/csv_writer.h"
#include "collector/detect/endpoint_judge.h"
#include "collector/detect/rule_set.h"
#include "collector/detect/symptom.h"
#include "protos/base/status.h"
#include "tests/bench/detection/csv_table.h"

namespace forewarn::bench {
namespace {

// Scores are asked of the judge; what it tells is not looked at here.
class NoSymptoms final : public detect::SymptomSink {
 public:
  void Accept(detect::SymptomEdge) override {}
};

}  // namespace

absl::Status ScoreSeries(const std::string& input, absl::Duration step,
                         ScoreFormat format, const std::string& output) {
  FOREWARN_ASSIGN_OR_RETURN(const CsvTable table, CsvTable::Read(input));
  const int at_time = table.Column("timestamp");
  detect::RuleSet rules;
  for (const std::string& error : detect::RuleSet::Load("", {}, rules)) {
    return absl::InternalError(error);
  }
  NoSymptoms sink;
  detect::EndpointProfile profile;
  profile.id = profile.host_name = "bench";
  profile.endpoint_class = v1::ENDPOINT_CLASS_SERVER;
  detect::EndpointJudge judge(profile, rules, sink);
  std::vector<int> columns;
  for (int i = 0; i < static_cast<int>(table.header.size()); ++i) {
    if (i == at_time) continue;
    FOREWARN_ASSIGN_OR_RETURN(const wire::SeriesDefinition definition,
                              backtest::ParseColumn(table.header[i]));
    judge.DefineSeries(static_cast<uint32_t>(columns.size()), definition);
    columns.push_back(i);
  }
  backtest::CsvWriter out;
  FOREWARN_RETURN_IF_ERROR(out.Open(output));
  const bool by_time = format == ScoreFormat::kTimestamps;
  out.Write(
      by_time ? std::vector<std::string>{"timestamp", "value", "anomaly_score"}
              : std::vector<std::string>{"row", "score", "alarm"});
  std::vector<wire::Sample> samples;
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const std::vector<std::string>& row = table.rows[r];
    std::optional<absl::Time> time =
        absl::UnixEpoch() + static_cast<int64_t>(r) * step;
    if (at_time >= 0) time = backtest::ParseCsvTime(row[at_time]);
    if (!time) {
      return absl::InvalidArgumentError(
          absl::StrCat(input, ":", r + 2, ": '", row[at_time], "' is no time"));
    }
    samples.clear();
    for (uint32_t i = 0; i < columns.size(); ++i) {
      double value = 0;
      if (absl::SimpleAtod(row[columns[i]], &value)) {
        samples.push_back({i, value});
      }
    }
    // A time that stands twice, as at the end of summer time, is no news.
    const bool news = *time > judge.now();
    judge.Observe(*time, samples);
    const double score = news ? judge.Novelty().score : 0;
    if (by_time) {
      out.Write({row[at_time], columns.empty() ? "" : row[columns[0]],
                 backtest::CsvNumber(score)});
    } else if (score > 0) {
      out.Write({absl::StrCat(r), backtest::CsvNumber(score),
                 news && judge.Novelty().alarm ? "1" : "0"});
    }
  }
  return out.Close();
}

}  // namespace forewarn::bench
