#include "collector/detect/signal_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace forewarn::detect {
namespace {

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

bool MatchesOne(absl::string_view wanted, absl::string_view value) {
  const bool negated = absl::ConsumePrefix(&wanted, "!");
  bool found = false;
  for (const absl::string_view one : absl::StrSplit(wanted, '|')) {
    found = found || one == value;
  }
  return found != negated;
}

// Attributes agree where both have the key, but for keys that the signal
// itself asks for.
bool Agree(const v1::Signal& signal, const wire::Attributes& main,
           const wire::Attributes& other) {
  for (const auto& [key, value] : other) {
    if (signal.where().contains(key)) continue;
    for (const auto& [main_key, main_value] : main) {
      if (main_key == key && main_value != value) return false;
    }
  }
  return true;
}

}  // namespace

bool MatchesWhere(const v1::Signal& signal,
                  const wire::Attributes& attributes) {
  for (const auto& [key, wanted] : signal.where()) {
    if (!MatchesOne(wanted, wire::AttributeValue(attributes, key))) {
      return false;
    }
  }
  return true;
}

WindowFunction ParseFunction(absl::string_view name) {
  if (name == "average") return WindowFunction::kAverage;
  if (name == "min") return WindowFunction::kMin;
  if (name == "max") return WindowFunction::kMax;
  if (name == "increase") return WindowFunction::kIncrease;
  if (name == "rate") return WindowFunction::kRate;
  if (name == "change") return WindowFunction::kChange;
  if (name == "changes") return WindowFunction::kChanges;
  return WindowFunction::kLast;
}

void ForEachWindow(
    const v1::Signal& signal,
    absl::FunctionRef<void(const v1::Signal&, absl::Duration)> need) {
  if (signal.has_window()) need(signal, FromProto(signal.window()));
  if (signal.has_relative_to_window()) {
    need(signal, FromProto(signal.relative_to_window()));
  }
  if (signal.has_divided_by()) ForEachWindow(signal.divided_by(), need);
}

std::string SignalUnit(const v1::Signal& signal, absl::string_view unit) {
  if (signal.has_divided_by() || signal.has_relative_to_window()) return "1";
  switch (ParseFunction(signal.function())) {
    case WindowFunction::kRate:
      return absl::StrCat(unit, "/s");
    case WindowFunction::kChanges:
      return "{change}";
    default:
      return std::string(unit);
  }
}

SignalReader SignalReader::OfSeries(const v1::Signal& signal,
                                    uint32_t series) {
  return SignalReader(signal, series, false);
}

SignalReader SignalReader::OfCompanion(const v1::Signal& signal,
                                       uint32_t series) {
  return SignalReader(signal, series, true);
}

SignalReader::SignalReader(const v1::Signal& signal, uint32_t series,
                           bool companion)
    : signal_(&signal),
      series_(series),
      companion_(companion),
      function_(ParseFunction(signal.function())),
      window_(FromProto(signal.window())),
      relative_(FromProto(signal.relative_to_window())) {
  if (signal.has_divided_by()) {
    divisor_ = std::unique_ptr<SignalReader>(
        new SignalReader(signal.divided_by(), series, true));
  }
}

const SeriesState* SignalReader::Find(const SeriesTable& table,
                                      absl::Time now) {
  const SeriesState* main = table.Find(series_);
  if (!companion_ || main == nullptr) return main;
  if (generation_ != table.generation()) {
    generation_ = table.generation();
    candidates_.clear();
    for (const uint32_t series : table.OfMetric(signal_->metric())) {
      const wire::Attributes& attributes =
          table.Find(series)->definition.attributes;
      if (MatchesWhere(*signal_, attributes) &&
          Agree(*signal_, main->definition.attributes, attributes)) {
        candidates_.push_back(series);
      }
    }
  }
  for (const uint32_t series : candidates_) {
    const SeriesState* state = table.Find(series);
    if (state->seen && !state->cadence.Vanished(now)) return state;
  }
  return nullptr;
}

std::optional<double> SignalReader::ReadFrom(const SeriesState& state,
                                             absl::Time now) {
  if (function_ == WindowFunction::kLast) return state.last;
  std::optional<double> value;
  std::optional<double> longer;
  for (const SampleWindow& window : state.windows) {
    if (window.window() == window_) value = window.Value(function_, now);
    if (relative_ > absl::ZeroDuration() && window.window() == relative_) {
      longer = window.Value(function_, now);
    }
  }
  if (relative_ == absl::ZeroDuration() || !value) return value;
  if (!longer || *longer == 0) return std::nullopt;
  return *value / *longer;
}

std::optional<double> SignalReader::Read(const SeriesTable& table,
                                         absl::Time now) {
  const SeriesState* state = Find(table, now);
  if (state == nullptr || !state->seen) return std::nullopt;
  std::optional<double> value = ReadFrom(*state, now);
  if (!value || divisor_ == nullptr) return value;
  const std::optional<double> divisor = divisor_->Read(table, now);
  if (!divisor || *divisor == 0) return std::nullopt;
  return *value / *divisor;
}

}  // namespace forewarn::detect
