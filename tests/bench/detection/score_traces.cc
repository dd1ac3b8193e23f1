#include "tests/bench/detection/score_traces.h"

#include <cstdint>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "collector/backtest/csv_writer.h"
#include "collector/detect/endpoint_judge.h"
#include "collector/detect/rule_set.h"
#include "collector/detect/symptom.h"
#include "collector/detect/symptom_writer.h"
#include "protos/base/status.h"
#include "tests/bench/detection/csv_table.h"

namespace forewarn::bench {
namespace {

constexpr char kMetric[] = "system.filesystem.utilization";

// The levels of DESIGN: urgent, high, planned.
absl::StatusOr<detect::RuleSet> RulesFor(const LimitTrace& trace) {
  detect::RuleSet rules;
  const std::vector<std::string> errors = rules.Add(
      absl::StrCat("rules:\n"
                   "  - id: limit\n"
                   "    subsystem: filesystem\n"
                   "    title: \"{host} reaches its limit in {time_left}\"\n"
                   "    explanation: \"{host} is at {value}\"\n"
                   "    signal: {metric: ",
                   kMetric,
                   "}\n"
                   "    forecast:\n"
                   "      limit: ",
                   trace.limit,
                   "\n"
                   "      direction: ",
                   trace.direction,
                   "\n"
                   "      levels:\n"
                   "        - {priority: P2, time_left: 4h}\n"
                   "        - {priority: P3, time_left: 24h, hold: 30min}\n"
                   "        - {priority: P4, time_left: 4d, hold: 1h}\n"),
      trace.input);
  if (errors.empty()) return rules;
  return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
}

// Writes the edges of symptoms as lines of a ticket book.
class TicketLines final : public detect::SymptomSink {
 public:
  explicit TicketLines(backtest::CsvWriter& out) : out_(out) {}

  void Accept(detect::SymptomEdge edge) override {
    const v1::Symptom& symptom = edge.symptom;
    const bool opens = edge.kind == detect::SymptomEdge::Kind::kOpened;
    const bool closes = edge.kind == detect::SymptomEdge::Kind::kCleared;
    if (opens) ++ticket_;
    const v1::TimeLeft& left = symptom.evidence().time_left();
    out_.Write({absl::StrCat(ticket_), Seconds(symptom.updated_at()),
                closes ? "" : Seconds(left.limit_at()),
                opens    ? "open"
                : closes ? "close"
                         : "update"});
  }

 private:
  static std::string Seconds(const google::protobuf::Timestamp& time) {
    return backtest::CsvNumber(
        absl::ToDoubleSeconds(detect::TimeOf(time) - absl::UnixEpoch()));
  }

  backtest::CsvWriter& out_;
  uint64_t ticket_ = 0;
};

}  // namespace

absl::Status ScoreTrace(const LimitTrace& trace, const std::string& output) {
  FOREWARN_ASSIGN_OR_RETURN(const CsvTable table, CsvTable::Read(trace.input));
  FOREWARN_ASSIGN_OR_RETURN(const detect::RuleSet rules, RulesFor(trace));
  const int at_time = table.Column("time");
  const int at_value = table.Column("value");
  if (at_time < 0 || at_value < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(trace.input, ": it needs columns time and value"));
  }
  backtest::CsvWriter out;
  FOREWARN_RETURN_IF_ERROR(out.Open(output));
  out.Write({"ticket", "time", "failure_time", "event"});
  TicketLines tickets(out);
  detect::EndpointProfile profile;
  profile.id = profile.host_name = "trace";
  profile.endpoint_class = v1::ENDPOINT_CLASS_SERVER;
  detect::EndpointJudge judge(profile, rules, tickets);
  wire::SeriesDefinition definition;
  definition.metric = kMetric;
  definition.unit = "1";
  definition.digits = wire::kAllBits;
  judge.DefineSeries(0, definition);
  for (const std::vector<std::string>& row : table.rows) {
    double seconds = 0, value = 0;
    if (!absl::SimpleAtod(row[at_time], &seconds)) {
      return absl::InvalidArgumentError(absl::StrCat(
          trace.input, ": '", row[at_time], "' is no time in seconds"));
    }
    // An empty cell is a sample that is missing.
    if (!absl::SimpleAtod(row[at_value], &value)) continue;
    const wire::Sample sample = {0, value};
    judge.Observe(absl::UnixEpoch() + absl::Seconds(seconds),
                  absl::MakeConstSpan(&sample, 1));
  }
  return out.Close();
}

}  // namespace forewarn::bench
