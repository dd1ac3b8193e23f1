#ifndef FOREWARN_COLLECTOR_DETECT_RULE_PLAN_H_
#define FOREWARN_COLLECTOR_DETECT_RULE_PLAN_H_

#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "collector/detect/forecast_rule.h"
#include "collector/detect/threshold_rule.h"
#include "forewarn/v1/rules.pb.h"
#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::detect {

// A checked rule made ready for endpoints of one class. Immutable.
struct RulePlan {
  RulePlan(std::shared_ptr<const v1::Rule> rule,
           v1::EndpointClass endpoint_class);
  RulePlan(const RulePlan&) = delete;
  RulePlan& operator=(const RulePlan&) = delete;

  // Every level of it is INFO for this class.
  bool OnlyEvidence() const;

  // Shared by the rule set and, where overrides changed it, by this plan.
  std::shared_ptr<const v1::Rule> rule;
  v1::EndpointClass endpoint_class;
  // Urgencies are priorities: P1 = 1 to INFO = 5. As many as rule->levels().
  std::vector<ThresholdRule::Level> levels;
  std::vector<ForecastRule::Tier> tiers;
  LimitForecast::Direction direction = LimitForecast::Direction::kUp;
  absl::Duration min_window;
  absl::Duration arm_after_good;
  absl::Duration min_uptime;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_RULE_PLAN_H_
