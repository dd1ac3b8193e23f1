#include "collector/detect/rule_check.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "collector/detect/sample_window.h"
#include "collector/detect/signal_reader.h"
#include "protos/wire/metric_catalog.h"

namespace forewarn::detect {
namespace {

bool IsClass(absl::string_view name) {
  return name == "server" || name == "workstation" || name == "laptop" ||
         name == "device";
}

bool IsPriority(absl::string_view name) {
  return name == "P1" || name == "P2" || name == "P3" || name == "P4" ||
         name == "info";
}

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() * 1e-9;
}

bool HasAttribute(const wire::MetricInfo& metric, absl::string_view key) {
  for (const absl::string_view known :
       absl::StrSplit(metric.attributes, ',')) {
    if (known == key) return true;
  }
  return false;
}

// Collects what is wrong with one rule.
class Checker {
 public:
  Checker(const v1::Rule& rule, absl::string_view file_name,
          std::vector<std::string>& errors)
      : rule_(rule),
        place_(absl::StrCat(file_name, ": rule ",
                            rule.id().empty() ? "?" : rule.id(), ": ")),
        errors_(errors) {}

  void Check() {
    CheckId();
    CheckSignal(rule_.signal(), "signal");
    for (const v1::Condition& condition : rule_.and_()) {
      CheckCondition(condition);
    }
    if (rule_.has_forecast() == !rule_.levels().empty()) {
      Say("needs either levels or a forecast");
    }
    for (const v1::Level& level : rule_.levels()) CheckLevel(level);
    if (rule_.has_forecast()) CheckForecast(rule_.forecast());
    for (const std::string& name : rule_.classes()) {
      if (!IsClass(name)) SayClass(name);
    }
    CheckText(rule_.title(), "title");
    CheckText(rule_.explanation(), "explanation");
  }

 private:
  void Say(absl::string_view what) {
    errors_.push_back(absl::StrCat(place_, what));
  }
  void SayClass(absl::string_view name) {
    Say(absl::StrCat("no endpoint class '", name,
                     "'; known: server, workstation, laptop, device"));
  }

  void CheckId() {
    const bool good = std::all_of(
        rule_.id().begin(), rule_.id().end(), [](char c) {
          return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                 absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                 c == '_';
        });
    if (!good || rule_.id().empty()) {
      Say("an id is made of small letters, digits and _");
    }
  }

  void CheckSignal(const v1::Signal& signal, absl::string_view where) {
    const wire::MetricInfo* metric = wire::FindMetric(signal.metric());
    if (metric == nullptr) {
      Say(absl::StrCat(where, ": no metric '", signal.metric(),
                       "' in the catalogue"));
    } else {
      for (const auto& [key, value] : signal.where()) {
        if (!HasAttribute(*metric, key)) {
          Say(absl::StrCat(where, ": ", signal.metric(),
                           " has no attribute '", key, "'"));
        }
      }
    }
    const bool last = ParseFunction(signal.function()) == WindowFunction::kLast;
    if (!last && Seconds(signal.window()) <= 0) {
      Say(absl::StrCat(where, ": function ", signal.function(),
                       " needs a window"));
    }
    if (last && (signal.has_window() || signal.has_relative_to_window())) {
      Say(absl::StrCat(where, ": a window needs a function other than last"));
    }
    if (signal.has_relative_to_window() &&
        Seconds(signal.relative_to_window()) <= Seconds(signal.window())) {
      Say(absl::StrCat(where,
                       ": relative_to_window must be longer than the window"));
    }
    if (signal.has_divided_by()) {
      CheckSignal(signal.divided_by(), absl::StrCat(where, ".divided_by"));
    }
  }

  void CheckCondition(const v1::Condition& condition) {
    if (!condition.has_signal()) {
      Say("a condition needs a signal");
      return;
    }
    CheckSignal(condition.signal(), "and");
    if (!condition.has_above() && !condition.has_below()) {
      Say(absl::StrCat("and: condition on ", condition.signal().metric(),
                       " needs above or below"));
    }
  }

  void CheckLevel(const v1::Level& level) {
    if (level.has_above() == level.has_below()) {
      Say(absl::StrCat("level ", level.priority(),
                       " needs exactly one of above and below"));
      return;
    }
    if (level.has_clear() && ((level.has_above() &&
                               level.clear() > level.above()) ||
                              (level.has_below() &&
                               level.clear() < level.below()))) {
      Say(absl::StrCat("level ", level.priority(), " clears at ",
                       level.clear(), ", beyond where it is entered"));
    }
    for (const v1::Condition& condition : level.and_()) {
      CheckCondition(condition);
    }
    for (const auto& [name, priority] : level.priority_by_class()) {
      if (!IsClass(name)) SayClass(name);
      if (!IsPriority(priority)) {
        Say(absl::StrCat("no priority '", priority,
                         "'; known: P1, P2, P3, P4, info"));
      }
    }
  }

  void CheckForecast(const v1::Forecast& forecast) {
    if (forecast.has_limit() == forecast.has_limit_signal()) {
      Say("forecast needs exactly one of limit and limit_signal");
    }
    if (forecast.has_limit_signal()) {
      CheckSignal(forecast.limit_signal(), "forecast.limit_signal");
    }
    if (forecast.direction().empty()) {
      Say("forecast needs a direction, up or down");
    }
    if (forecast.levels().empty()) Say("forecast needs levels");
    for (const v1::ForecastLevel& level : forecast.levels()) {
      if (Seconds(level.time_left()) <= 0) {
        Say(absl::StrCat("forecast level ", level.priority(),
                         " needs a time_left"));
      }
    }
  }

  void CheckText(absl::string_view text, absl::string_view field) {
    size_t at = 0;
    while ((at = text.find('{', at)) != absl::string_view::npos) {
      const size_t end = text.find('}', at);
      if (end == absl::string_view::npos) {
        Say(absl::StrCat(field, ": a { without }"));
        return;
      }
      const absl::string_view name = text.substr(at + 1, end - at - 1);
      if (!IsPlaceholder(name)) {
        Say(absl::StrCat(field, ": placeholder {", name,
                         "} is neither host, value, threshold, ",
                         rule_.has_forecast() ? "time_left, limit_at " : "",
                         "nor an attribute of ", rule_.signal().metric()));
      }
      at = end;
    }
  }

  bool IsPlaceholder(absl::string_view name) const {
    if (name == "host" || name == "value" || name == "threshold") return true;
    if (name == "time_left" || name == "limit_at") {
      return rule_.has_forecast();
    }
    const wire::MetricInfo* metric = wire::FindMetric(rule_.signal().metric());
    return metric != nullptr && HasAttribute(*metric, name);
  }

  const v1::Rule& rule_;
  const std::string place_;
  std::vector<std::string>& errors_;
};

}  // namespace

std::vector<std::string> CheckPack(const v1::RulePack& pack,
                                   absl::string_view file_name) {
  std::vector<std::string> errors;
  absl::flat_hash_set<std::string> ids;
  for (const v1::Rule& rule : pack.rules()) {
    Checker(rule, file_name, errors).Check();
    if (!ids.insert(rule.id()).second) {
      errors.push_back(absl::StrCat(file_name, ": rule ", rule.id(),
                                    ": the id stands twice in this file"));
    }
  }
  for (const v1::RuleOverride& change : pack.overrides()) {
    for (std::string& error : CheckOverride(change, file_name)) {
      errors.push_back(std::move(error));
    }
  }
  return errors;
}

std::vector<std::string> CheckOverride(const v1::RuleOverride& change,
                                       absl::string_view origin) {
  std::vector<std::string> errors;
  const std::string place =
      absl::StrCat(origin, ": override of rule ", change.rule(), ": ");
  if (change.rule().empty()) {
    errors.push_back(absl::StrCat(
        origin, ": an override needs a rule id, or * for all"));
  }
  if (!change.endpoint_class().empty() && !IsClass(change.endpoint_class())) {
    errors.push_back(absl::StrCat(
        place, "no endpoint class '", change.endpoint_class(),
        "'; known: server, workstation, laptop, device"));
  }
  if (!change.priority().empty() && !IsPriority(change.priority())) {
    errors.push_back(absl::StrCat(place, "no priority '", change.priority(),
                                  "'; known: P1, P2, P3, P4, info"));
  }
  if (change.has_above() && change.has_below()) {
    errors.push_back(
        absl::StrCat(place, "above and below exclude each other"));
  }
  if (change.has_window() && Seconds(change.window()) <= 0) {
    errors.push_back(absl::StrCat(place, "a window must be longer than 0"));
  }
  return errors;
}

}  // namespace forewarn::detect
