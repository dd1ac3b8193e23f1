#ifndef FOREWARN_COLLECTOR_DETECT_FORECAST_RULE_H_
#define FOREWARN_COLLECTOR_DETECT_FORECAST_RULE_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "collector/detect/forecast_claim.h"
#include "collector/detect/limit_forecast.h"

namespace forewarn::detect {

// When a forecast becomes a symptom, changes its urgency and ends.
//
// Threads  thread-compatible.
class ForecastRule {
 public:
  // Opens when the lower bound of the time left is under `time_left`.
  struct Tier {
    absl::Duration time_left;
    absl::Duration hold;
    std::optional<double> from;  // speaks only beyond this value
    int urgency = 0;             // less is more urgent
  };

  ForecastRule(LimitForecast::Direction direction, absl::Duration min_window,
               std::vector<Tier> tiers);

  struct Verdict {
    size_t tier = 0;  // its number in `tiers`
    LimitForecast::Estimate estimate;
    absl::Time since;  // when the trend was first seen

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.tier, self.estimate, self.since);
    }
  };

  // Feeds a sample; `quiet` keeps it from opening. The verdict that stands
  // after it, or nullopt.
  const std::optional<Verdict>& Observe(absl::Time time, double value,
                                        double limit, bool quiet);

  // How an earlier forecast came out, if its time came with the last sample.
  const std::optional<ForecastClaim::Score>& scored() const { return scored_; }

  const std::optional<Verdict>& verdict() const { return verdict_; }
  const LimitForecast& forecast() const { return forecast_; }
  const std::vector<Tier>& tiers() const { return tiers_; }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.forecast_, self.verdict_, self.supported_, self.close_hold_,
            self.opened_room_, self.opened_at_, self.opened_left_,
            self.after_miss_left_, self.after_miss_until_, self.looser_since_,
            self.look_interval_, self.next_look_, self.claim_);
    archive.InPlace(self.due_since_);
  }

 private:
  std::optional<size_t> TierOf(absl::Duration low, double value,
                               double slack) const;
  void Open(absl::Time time, double value, double limit);
  void Hold(absl::Time time, double value, double limit);
  void Close();

  double sign_;
  std::vector<Tier> tiers_;  // as given
  std::vector<size_t> tightest_first_;
  LimitForecast forecast_;

  std::optional<Verdict> verdict_;
  // Not yet open: since when each tier has been due without a break.
  std::vector<absl::Time> due_since_;
  // Open: what it takes to stay.
  absl::Time supported_;
  absl::Duration close_hold_;
  double opened_room_ = 0;
  absl::Time opened_at_;
  absl::Duration opened_left_;
  // After a miss: what it takes to speak again, and how long.
  absl::Duration after_miss_left_ = absl::InfiniteDuration();
  absl::Time after_miss_until_ = absl::InfinitePast();
  absl::Time looser_since_;
  absl::Duration look_interval_;
  absl::Time next_look_ = absl::InfinitePast();
  ForecastClaim claim_;
  std::optional<ForecastClaim::Score> scored_;  // by the last sample
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_FORECAST_RULE_H_
