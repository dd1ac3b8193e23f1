#include "collector/detect/rule_watch.h"

#include <algorithm>
#include <utility>

#include "collector/detect/symptom_writer.h"

namespace forewarn::detect {
namespace {

// A forecast is told anew when its end moved by so much of what is left.
constexpr double kMoved = 0.3;
constexpr absl::Duration kMovedAtLeast = absl::Minutes(3);
// A forecast under a changed rule has so long to be confirmed.
constexpr absl::Duration kConfirmWithin = absl::Hours(1);

}  // namespace

RuleWatch::Conditions RuleWatch::Bind(
    const google::protobuf::RepeatedPtrField<v1::Condition>& conditions,
    uint32_t series) {
  Conditions bound;
  for (const v1::Condition& one : conditions) {
    Condition condition{
        SignalReader::OfCompanion(one.signal(), series), {}, {}};
    if (one.has_above()) condition.above = one.above();
    if (one.has_below()) condition.below = one.below();
    bound.push_back(std::move(condition));
  }
  return bound;
}

RuleWatch::RuleWatch(std::shared_ptr<const RulePlan> plan, uint32_t series,
                     std::string unit)
    : plan_(std::move(plan)),
      series_(series),
      unit_(std::move(unit)),
      signal_(SignalReader::OfSeries(plan_->rule->signal(), series)),
      conditions_(Bind(plan_->rule->and_(), series)) {
  const v1::Rule& rule = *plan_->rule;
  for (const v1::Level& level : rule.levels()) {
    level_conditions_.push_back(Bind(level.and_(), series));
  }
  if (rule.forecast().has_limit_signal()) {
    limit_ = SignalReader::OfCompanion(rule.forecast().limit_signal(), series);
  }
  Start();
}

void RuleWatch::Start() {
  if (plan_->rule->has_forecast()) {
    forecast_ = std::make_unique<ForecastRule>(
        plan_->direction, plan_->min_window, plan_->tiers);
  } else {
    threshold_ = std::make_unique<ThresholdRule>(plan_->levels,
                                                 plan_->arm_after_good);
  }
}

void RuleWatch::Rearm() {
  if (threshold_) threshold_->Rearm();
}

void RuleWatch::Vanish(const Moment& moment) {
  Clear(std::nullopt, moment);
  Start();
}

void RuleWatch::Retire(const Moment& moment) { Clear(std::nullopt, moment); }

void RuleWatch::Inherit(RuleWatch& former) {
  if (!former.standing_) return;
  standing_ = std::move(former.standing_);
  told_limit_at_ = former.told_limit_at_;
  inherited_at_ = absl::InfiniteFuture();  // from the next sample on
}

std::optional<bool> RuleWatch::Hold(Conditions& conditions,
                                    const Moment& moment) {
  std::optional<bool> result = true;
  for (Condition& one : conditions) {
    const std::optional<double> value =
        one.reader.Read(moment.table, moment.now);
    if (!value) {
      result = std::nullopt;
    } else if ((one.above && *value <= *one.above) ||
               (one.below && *value >= *one.below)) {
      return false;
    }
  }
  return result;
}

void RuleWatch::Judge(const Moment& moment) {
  if (inherited_at_ == absl::InfiniteFuture()) inherited_at_ = moment.now;
  const std::optional<double> value = signal_.Read(moment.table, moment.now);
  if (!value) return;
  if (threshold_) {
    JudgeThreshold(*value, moment);
  } else {
    JudgeForecast(*value, moment);
  }
}

void RuleWatch::JudgeThreshold(double value, const Moment& moment) {
  const SeriesState& series = *moment.table.Find(series_);
  const auto conditions = [&](size_t level) -> std::optional<bool> {
    const std::optional<bool> rule = Hold(conditions_, moment);
    const std::optional<bool> own = Hold(level_conditions_[level], moment);
    if ((rule && !*rule) || (own && !*own)) return false;
    return rule && own ? std::optional<bool>(true) : std::nullopt;
  };
  const bool may_open =
      !moment.uptime || *moment.uptime >= plan_->min_uptime;
  const std::optional<ThresholdRule::Verdict>& verdict = threshold_->Observe(
      moment.now, value, conditions, may_open, series.cadence.after_gap());
  if (!verdict) {
    if (!StaysInherited(value, moment)) Clear(value, moment);
    return;
  }
  inherited_at_ = absl::InfinitePast();
  const ThresholdRule::Level& level = plan_->levels[verdict->level];
  const auto priority = static_cast<v1::Priority>(level.urgency);
  if (standing_ && standing_->priority() == priority) return;

  const bool opened = !standing_;
  v1::Symptom& symptom = Stand(v1::DETECTOR_KIND_RULE, moment);
  SymptomFacts facts;
  facts.time = moment.now;
  facts.since = verdict->since;
  facts.priority = priority;
  facts.value = value;
  facts.unit = unit_;
  facts.threshold = level.threshold();
  (level.above ? facts.expected_high : facts.expected_low) = level.threshold();
  SymptomWriter::Update(moment.profile, facts, symptom);
  SymptomWriter::SetWindow(series, moment.now, *symptom.mutable_evidence());
  moment.sink.Accept({opened ? SymptomEdge::Kind::kOpened
                             : SymptomEdge::Kind::kUpdated,
                      symptom});
}

void RuleWatch::JudgeForecast(double value, const Moment& moment) {
  std::optional<double> limit = plan_->rule->forecast().limit();
  if (limit_) limit = limit_->Read(moment.table, moment.now);
  if (!limit) return;
  const bool quiet =
      (moment.uptime && *moment.uptime < plan_->min_uptime) ||
      !Hold(conditions_, moment).value_or(false);
  const std::optional<ForecastRule::Verdict>& verdict =
      forecast_->Observe(moment.now, value, *limit, quiet);
  if (forecast_->scored()) TellScore(moment);
  if (!verdict) {
    if (!StaysInherited(value, moment)) Clear(value, moment);
    return;
  }
  inherited_at_ = absl::InfinitePast();
  const LimitForecast::Estimate& estimate = verdict->estimate;
  const auto priority =
      static_cast<v1::Priority>(plan_->tiers[verdict->tier].urgency);
  const absl::Time limit_at = moment.now + estimate.middle;
  if (standing_ && standing_->priority() == priority &&
      absl::AbsDuration(limit_at - told_limit_at_) <
          std::max(kMoved * estimate.middle, kMovedAtLeast)) {
    return;
  }
  told_limit_at_ = limit_at;
  const bool opened = !standing_;
  v1::Symptom& symptom = Stand(v1::DETECTOR_KIND_FORECAST, moment);
  SymptomFacts facts;
  facts.time = moment.now;
  facts.since = verdict->since;
  facts.priority = priority;
  facts.value = value;
  facts.unit = unit_;
  facts.threshold = *limit;
  (plan_->direction == LimitForecast::Direction::kUp
       ? facts.expected_high
       : facts.expected_low) = *limit;
  facts.time_left = estimate;
  facts.limit = *limit;
  SymptomWriter::Update(moment.profile, facts, symptom);
  SymptomWriter::SetWindow(forecast_->forecast(), estimate.window * 3 / 2,
                           *symptom.mutable_evidence());
  moment.sink.Accept({opened ? SymptomEdge::Kind::kOpened
                             : SymptomEdge::Kind::kUpdated,
                      symptom});
}

void RuleWatch::TellScore(const Moment& moment) const {
  const v1::Rule& rule = *plan_->rule;
  SymptomEdge edge;
  edge.kind = SymptomEdge::Kind::kScored;
  edge.symptom = SymptomWriter::Open(
      moment.profile, rule.id(), &rule, v1::DETECTOR_KIND_FORECAST,
      rule.subsystem(), *moment.table.Find(series_));
  SetTime(forecast_->scored()->claimed_at, *edge.symptom.mutable_opened_at());
  SetTime(moment.now, *edge.symptom.mutable_updated_at());
  edge.outcome = forecast_->scored()->outcome;
  moment.sink.Accept(std::move(edge));
}

bool RuleWatch::StaysInherited(double value, const Moment& moment) const {
  if (!standing_ || inherited_at_ == absl::InfinitePast()) return false;
  if (forecast_) return moment.now - inherited_at_ < kConfirmWithin;
  return !std::all_of(plan_->levels.begin(), plan_->levels.end(),
                      [value](const ThresholdRule::Level& level) {
                        return level.Left(value);
                      });
}

v1::Symptom& RuleWatch::Stand(v1::DetectorKind detector,
                              const Moment& moment) {
  if (!standing_) {
    const v1::Rule& rule = *plan_->rule;
    standing_ = std::make_unique<v1::Symptom>(
        SymptomWriter::Open(moment.profile, rule.id(), &rule, detector,
                            rule.subsystem(), *moment.table.Find(series_)));
  }
  return *standing_;
}

void RuleWatch::Clear(std::optional<double> value, const Moment& moment) {
  if (!standing_) return;
  SymptomWriter::Close(moment.now, value, *standing_);
  moment.sink.Accept({SymptomEdge::Kind::kCleared, std::move(*standing_)});
  standing_.reset();
  inherited_at_ = absl::InfinitePast();
}

}  // namespace forewarn::detect
