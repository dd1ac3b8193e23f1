#include "collector/detect/symptom_writer.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "collector/detect/symptom.h"

namespace forewarn::detect {
namespace {

constexpr absl::Duration kDefaultQuiet = absl::Minutes(15);
constexpr size_t kMaxWindow = 60;

v1::Parameter& Add(absl::string_view name, v1::Text& text) {
  v1::Parameter& parameter = *text.add_parameters();
  parameter.set_name(std::string(name));
  return parameter;
}

void AddQuantity(absl::string_view name, double value,
                 absl::string_view unit, v1::Text& text) {
  v1::Quantity& quantity = *Add(name, text).mutable_quantity();
  quantity.set_value(value);
  quantity.set_unit(std::string(unit));
}

// {host}, {value}, {threshold}, {time_left}, {limit_at} and the attributes.
void SetParameters(const EndpointProfile& profile, const SymptomFacts& facts,
                   const v1::Symptom& symptom, v1::Text& text) {
  text.clear_parameters();
  Add("host", text).set_text(profile.host_name.empty() ? profile.id
                                                       : profile.host_name);
  AddQuantity("value", facts.value, facts.unit, text);
  if (facts.threshold) {
    AddQuantity("threshold", *facts.threshold, facts.unit, text);
  }
  if (facts.time_left) {
    SetDuration(facts.time_left->middle,
                *Add("time_left", text).mutable_duration());
    SetTime(facts.time + facts.time_left->middle,
            *Add("limit_at", text).mutable_time());
  }
  if (symptom.detector() == v1::DETECTOR_KIND_ANOMALY) {
    Add("subsystem", text).set_text(symptom.subsystem());
    Add("metric", text).set_text(symptom.metric());
    if (facts.expected_low && facts.expected_high) {
      AddQuantity("low", *facts.expected_low, facts.unit, text);
      AddQuantity("high", *facts.expected_high, facts.unit, text);
    }
  }
  for (const v1::Attribute& attribute : symptom.attributes()) {
    Add(attribute.key(), text).set_text(attribute.value());
  }
}

void SetTimeLeft(const SymptomFacts& facts, v1::TimeLeft& out) {
  const LimitForecast::Estimate& estimate = *facts.time_left;
  SetDuration(estimate.low, *out.mutable_low());
  SetDuration(estimate.middle, *out.mutable_middle());
  if (estimate.high != absl::InfiniteDuration()) {
    SetDuration(estimate.high, *out.mutable_high());
  } else {
    out.clear_high();
  }
  SetTime(facts.time + estimate.middle, *out.mutable_limit_at());
  out.set_limit(facts.limit);
}

}  // namespace

void SetTime(absl::Time time, google::protobuf::Timestamp& out) {
  const int64_t nanos = absl::ToUnixNanos(time);
  int64_t seconds = nanos / 1'000'000'000;
  int64_t rest = nanos % 1'000'000'000;
  if (rest < 0) {
    rest += 1'000'000'000;
    --seconds;
  }
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>(rest));
}

void SetDuration(absl::Duration duration, google::protobuf::Duration& out) {
  absl::Duration rest;
  out.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
}

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) +
         absl::Nanoseconds(timestamp.nanos());
}

absl::Duration DurationOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

v1::Symptom SymptomWriter::Open(const EndpointProfile& profile,
                                absl::string_view rule_id,
                                const v1::Rule* rule,
                                v1::DetectorKind detector,
                                absl::string_view subsystem,
                                const SeriesState& series) {
  v1::Symptom symptom;
  symptom.set_fingerprint(Fingerprint(profile.id, rule_id, series.name));
  symptom.set_endpoint_id(profile.id);
  symptom.set_host_name(profile.host_name);
  symptom.set_rule(std::string(rule_id));
  symptom.set_detector(detector);
  symptom.set_subsystem(std::string(subsystem));
  symptom.set_metric(series.definition.metric);
  for (const auto& [key, value] : series.definition.attributes) {
    v1::Attribute& attribute = *symptom.add_attributes();
    attribute.set_key(key);
    attribute.set_value(value);
  }
  symptom.mutable_title()->set_key(absl::StrCat("rule.", rule_id, ".title"));
  symptom.mutable_explanation()->set_key(
      absl::StrCat("rule.", rule_id, ".explanation"));
  SetDuration(kDefaultQuiet, *symptom.mutable_quiet());
  if (rule != nullptr) {
    v1::Runbook& runbook = *symptom.mutable_runbook();
    runbook.set_article(rule->article());
    *runbook.mutable_causes() = rule->causes();
    *runbook.mutable_steps() = rule->steps();
    if (rule->has_quiet()) *symptom.mutable_quiet() = rule->quiet();
  }
  return symptom;
}

void SymptomWriter::Update(const EndpointProfile& profile,
                           const SymptomFacts& facts, v1::Symptom& symptom) {
  if (!symptom.has_opened_at()) {
    SetTime(facts.time, *symptom.mutable_opened_at());
  }
  SetTime(facts.time, *symptom.mutable_updated_at());
  SetTime(facts.since, *symptom.mutable_since());
  symptom.set_priority(facts.priority);
  SetParameters(profile, facts, symptom, *symptom.mutable_title());
  SetParameters(profile, facts, symptom, *symptom.mutable_explanation());

  v1::Evidence& evidence = *symptom.mutable_evidence();
  evidence.set_value(facts.value);
  evidence.set_unit(facts.unit);
  evidence.set_score(facts.score);
  evidence.set_has_expected_low(facts.expected_low.has_value());
  evidence.set_expected_low(facts.expected_low.value_or(0));
  evidence.set_has_expected_high(facts.expected_high.has_value());
  evidence.set_expected_high(facts.expected_high.value_or(0));
  if (facts.time_left) {
    SetTimeLeft(facts, *evidence.mutable_time_left());
  } else {
    evidence.clear_time_left();
  }
}

void SymptomWriter::AddQuantity(absl::string_view name, double value,
                                absl::string_view unit, v1::Symptom& symptom) {
  v1::Parameter& parameter = *symptom.mutable_explanation()->add_parameters();
  parameter.set_name(std::string(name));
  parameter.mutable_quantity()->set_value(value);
  parameter.mutable_quantity()->set_unit(std::string(unit));
}

void SymptomWriter::Close(absl::Time time, std::optional<double> value,
                          v1::Symptom& symptom) {
  SetTime(time, *symptom.mutable_updated_at());
  SetTime(time, *symptom.mutable_cleared_at());
  if (value) symptom.mutable_evidence()->set_value(*value);
}

void SymptomWriter::SetWindow(const SeriesState& series, absl::Time now,
                              v1::Evidence& evidence) {
  evidence.clear_window();
  for (const RecentPoints::Point& point : series.recent.All()) {
    v1::SamplePoint& out = *evidence.add_window();
    out.mutable_time()->set_seconds(point.seconds);
    out.set_value(point.value);
  }
  if (evidence.window_size() > 0 &&
      TimeOf(evidence.window(evidence.window_size() - 1).time()) ==
          series.cadence.last()) {
    return;
  }
  v1::SamplePoint& last = *evidence.add_window();
  SetTime(std::min(now, series.cadence.last()), *last.mutable_time());
  last.set_value(series.last);
}

void SymptomWriter::SetWindow(const LimitForecast& forecast,
                              absl::Duration window,
                              v1::Evidence& evidence) {
  std::array<TrendPoint, kMaxTrendPoints> points;
  const size_t n = forecast.Window(window, points);
  evidence.clear_window();
  for (size_t i = n > kMaxWindow ? n - kMaxWindow : 0; i < n; ++i) {
    v1::SamplePoint& out = *evidence.add_window();
    SetTime(forecast.now() + absl::Seconds(points[i].seconds),
            *out.mutable_time());
    out.set_value(points[i].value);
  }
}

}  // namespace forewarn::detect
