#ifndef FOREWARN_COLLECTOR_DETECT_RULE_WATCH_H_
#define FOREWARN_COLLECTOR_DETECT_RULE_WATCH_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "collector/detect/endpoint_profile.h"
#include "collector/detect/forecast_rule.h"
#include "collector/detect/rule_plan.h"
#include "collector/detect/series_table.h"
#include "collector/detect/signal_reader.h"
#include "collector/detect/symptom.h"
#include "collector/detect/threshold_rule.h"

namespace forewarn::detect {

// One rule on one series of one endpoint, and the symptom it made.
//
// Threads  thread-compatible.
class RuleWatch {
 public:
  // What it sees of its endpoint at one moment.
  struct Moment {
    absl::Time now;
    const EndpointProfile& profile;
    const SeriesTable& table;
    std::optional<absl::Duration> uptime;
    SymptomSink& sink;
  };

  // `plan` lives as long as a watch holds it: shared by the endpoint's
  // watches of this rule.
  RuleWatch(std::shared_ptr<const RulePlan> plan, uint32_t series,
            std::string unit);

  // After a new sample of the series.
  void Judge(const Moment& moment);
  // The endpoint was started anew.
  void Rearm();
  // The series is gone: what was said of it ends, what was learnt is
  // forgotten.
  void Vanish(const Moment& moment);
  // The rule no longer applies: what was said ends.
  void Retire(const Moment& moment);
  // Takes over the symptom of a watch whose rule was changed. It stands until
  // this one can tell that it no longer should.
  void Inherit(RuleWatch& former);

  const RulePlan& plan() const { return *plan_; }
  const std::shared_ptr<const RulePlan>& shared_plan() const { return plan_; }
  uint32_t series() const { return series_; }
  // Null while it is calm.
  const v1::Symptom* standing() const { return standing_.get(); }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.standing_, self.told_limit_at_, self.inherited_at_);
    if (self.threshold_ != nullptr) archive(*self.threshold_);
    if (self.forecast_ != nullptr) archive(*self.forecast_);
  }

 private:
  struct Condition {
    SignalReader reader;
    std::optional<double> above;
    std::optional<double> below;
  };
  using Conditions = std::vector<Condition>;

  static Conditions Bind(
      const google::protobuf::RepeatedPtrField<v1::Condition>& conditions,
      uint32_t series);
  void Start();
  std::optional<bool> Hold(Conditions& conditions, const Moment& moment);
  void JudgeThreshold(double value, const Moment& moment);
  void JudgeForecast(double value, const Moment& moment);
  void TellScore(const Moment& moment) const;
  bool StaysInherited(double value, const Moment& moment) const;
  v1::Symptom& Stand(v1::DetectorKind detector, const Moment& moment);
  void Clear(std::optional<double> value, const Moment& moment);

  std::shared_ptr<const RulePlan> plan_;
  uint32_t series_;
  std::string unit_;
  SignalReader signal_;
  Conditions conditions_;
  std::vector<Conditions> level_conditions_;
  std::optional<SignalReader> limit_;
  std::unique_ptr<ThresholdRule> threshold_;
  std::unique_ptr<ForecastRule> forecast_;  // exactly one of the two
  std::unique_ptr<v1::Symptom> standing_;
  absl::Time told_limit_at_;
  absl::Time inherited_at_ = absl::InfinitePast();
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_RULE_WATCH_H_
