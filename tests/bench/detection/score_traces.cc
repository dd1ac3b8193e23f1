#include "tests/bench/detection/score_traces.h"

#include <cstdint>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "collector/backtest/csv_writer.h"
#include "collector/detect/endpoint_judge.h"
#include "collector/detect/rule_set.h"
#include "collector/detect/symptom.h"
#include "collector/detect/symptom_writer.h"
#include "protos/base/status.h"
#include "tests/bench/detection/csv_table.h"

namespace forewarn::bench {
namespace {

struct KindRule {
  const char* kind;
  const char* rule;
};
constexpr KindRule kKindRules[] = {
    {"battery_capacity_pct", "battery_wear"},
    {"disk_used_pct", "disk_fill"},
    {"inode_used_pct", "inode_fill"},
    {"mem_used_pct", "mem_leak"},
    {"open_files", "fd_fill"},
};

// For kinds that no shipped rule forecasts: urgent, high, planned.
constexpr char kDefaultRule[] = R"(rules:
  - id: limit
    subsystem: system
    title: "{host} reaches its limit in {time_left}"
    explanation: "{host} is at {value}"
    signal: {metric: forewarn.files.utilization}
    forecast:
      limit: 1.0
      direction: DIRECTION
      levels:
        - {priority: P2, time_left: 4h}
        - {priority: P3, time_left: 24h, hold: 30min}
        - {priority: P4, time_left: 4d, hold: 1h}
)";

struct TracePlan {
  detect::RuleSet rules;
  const v1::Rule* rule = nullptr;  // of `rules`
  double offset = 0;               // added to a value first
  double scale = 1;                // brings the trace's limit to the rule's
};

absl::Status MakePlan(const LimitTrace& trace, TracePlan& plan) {
  double limit = 0;
  if (!absl::SimpleAtod(trace.limit, &limit)) {
    return absl::InvalidArgumentError(
        absl::StrCat(trace.input, ": '", trace.limit, "' is no limit"));
  }
  std::string id = "limit";
  std::vector<std::string> errors;
  for (const KindRule& one : kKindRules) {
    if (trace.kind == one.kind) id = one.rule;
  }
  if (id == "limit") {
    errors = plan.rules.Add(
        absl::StrReplaceAll(kDefaultRule, {{"DIRECTION", trace.direction}}),
        trace.input);
  } else {
    errors = detect::RuleSet::Load("", {}, plan.rules);
  }
  if (!errors.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
  }
  plan.rule = plan.rules.Find(id);
  if (plan.rule == nullptr ||
      plan.rule->forecast().direction() != trace.direction) {
    return absl::InvalidArgumentError(absl::StrCat(
        trace.input, ": no rule ", id, " that goes ", trace.direction));
  }
  // A limit of 0 cannot be scaled to; a forecast knows no origin, so that
  // the whole series may be moved.
  if (limit == 0) plan.offset = limit = 1;
  plan.scale = plan.rule->forecast().limit() / limit;
  return absl::OkStatus();
}

// Writes the edges of symptoms as lines of a ticket book.
class TicketLines final : public detect::SymptomSink {
 public:
  TicketLines(const std::string& rule, backtest::CsvWriter& out)
      : rule_(rule), out_(out) {}

  void Accept(detect::SymptomEdge edge) override {
    const v1::Symptom& symptom = edge.symptom;
    // Others name no limit.
    if (symptom.rule() != rule_ ||
        edge.kind == detect::SymptomEdge::Kind::kScored) {
      return;
    }
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

  const std::string& rule_;
  backtest::CsvWriter& out_;
  uint64_t ticket_ = 0;
};

}  // namespace

absl::Status ScoreTrace(const LimitTrace& trace, const std::string& output) {
  FOREWARN_ASSIGN_OR_RETURN(const CsvTable table, CsvTable::Read(trace.input));
  TracePlan plan;
  FOREWARN_RETURN_IF_ERROR(MakePlan(trace, plan));
  const int at_time = table.Column("time");
  const int at_value = table.Column("value");
  if (at_time < 0 || at_value < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(trace.input, ": it needs columns time and value"));
  }
  backtest::CsvWriter out;
  FOREWARN_RETURN_IF_ERROR(out.Open(output));
  out.Write({"ticket", "time", "failure_time", "event"});
  TicketLines tickets(plan.rule->id(), out);
  detect::EndpointProfile profile;
  profile.id = profile.host_name = "trace";
  profile.endpoint_class = v1::ENDPOINT_CLASS_SERVER;
  detect::EndpointJudge judge(profile, plan.rules, tickets);
  wire::SeriesDefinition definition;
  definition.metric = plan.rule->signal().metric();
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
    const wire::Sample sample = {0, (value + plan.offset) * plan.scale};
    judge.Observe(absl::UnixEpoch() + absl::Seconds(seconds),
                  absl::MakeConstSpan(&sample, 1));
  }
  return out.Close();
}

}  // namespace forewarn::bench
