#include "collector/detect/rule_plan.h"

#include <algorithm>

#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/string_view.h"
#include "collector/detect/symptom_writer.h"
#include "forewarn/v1/desk.pb.h"

namespace forewarn::detect {
namespace {

constexpr absl::Duration kDefaultMinWindow = absl::Minutes(5);

int Urgency(absl::string_view priority) {
  if (priority == "P1") return v1::P1;
  if (priority == "P2") return v1::P2;
  if (priority == "P3") return v1::P3;
  if (priority == "P4") return v1::P4;
  return v1::INFO;
}

const char* ClassName(v1::EndpointClass endpoint_class) {
  switch (endpoint_class) {
    case v1::ENDPOINT_CLASS_WORKSTATION:
      return "workstation";
    case v1::ENDPOINT_CLASS_LAPTOP:
      return "laptop";
    case v1::ENDPOINT_CLASS_DEVICE:
      return "device";
    default:
      return "server";
  }
}

std::optional<double> Optional(bool has, double value) {
  return has ? std::optional<double>(value) : std::nullopt;
}

ThresholdRule::Level MakeLevel(const v1::Level& level,
                               const char* class_name) {
  const auto by_class = level.priority_by_class().find(class_name);
  ThresholdRule::Level made;
  made.above = Optional(level.has_above(), level.above());
  made.below = Optional(level.has_below(), level.below());
  // A checked rule has exactly one; without any it could never be entered.
  if (!made.above && !made.below) {
    made.above = std::numeric_limits<double>::infinity();
  }
  made.clear = level.has_clear() ? level.clear() : made.threshold();
  made.hold = DurationOf(level.hold());
  made.clear_hold = DurationOf(level.clear_hold());
  made.urgency = Urgency(by_class == level.priority_by_class().end()
                             ? level.priority()
                             : by_class->second);
  return made;
}

ForecastRule::Tier MakeTier(const v1::ForecastLevel& level,
                            const v1::Forecast& forecast) {
  ForecastRule::Tier tier;
  tier.time_left = DurationOf(level.time_left());
  tier.hold = DurationOf(level.hold());
  tier.urgency = Urgency(level.priority());
  tier.from = level.has_from()
                  ? Optional(true, level.from())
                  : Optional(forecast.has_from(), forecast.from());
  return tier;
}

}  // namespace

RulePlan::RulePlan(std::shared_ptr<const v1::Rule> the_rule,
                   v1::EndpointClass the_class)
    : rule(std::move(the_rule)), endpoint_class(the_class) {
  for (const v1::Level& level : rule->levels()) {
    levels.push_back(MakeLevel(level, ClassName(endpoint_class)));
  }
  const v1::Forecast& forecast = rule->forecast();
  for (const v1::ForecastLevel& level : forecast.levels()) {
    tiers.push_back(MakeTier(level, forecast));
  }
  if (forecast.direction() == "down") {
    direction = LimitForecast::Direction::kDown;
  }
  min_window = forecast.has_min_window() ? DurationOf(forecast.min_window())
                                         : kDefaultMinWindow;
  arm_after_good = DurationOf(rule->arm_after_good());
  min_uptime = DurationOf(rule->min_uptime());
}

bool RulePlan::OnlyEvidence() const {
  const auto is_info = [](const auto& level) {
    return level.urgency == v1::INFO;
  };
  return std::all_of(levels.begin(), levels.end(), is_info) &&
         std::all_of(tiers.begin(), tiers.end(), is_info);
}

}  // namespace forewarn::detect
