#ifndef FOREWARN_COLLECTOR_DETECT_FORECAST_CLAIM_H_
#define FOREWARN_COLLECTOR_DETECT_FORECAST_CLAIM_H_

#include <optional>

#include "absl/time/time.h"
#include "collector/detect/limit_forecast.h"
#include "forewarn/v1/desk.pb.h"

namespace forewarn::detect {

// What a forecast said when it opened, and how it came out once its time had
// come. One claim at a time: what the same series is told meanwhile is part
// of it. Its state is a few words.
//
// Threads  thread-compatible.
class ForecastClaim {
 public:
  // How it came out:
  //   HIT      all but a tenth of the room was used up within the interval
  //            that was named
  //   LATE     sooner than its lower bound: the forecast named too late a time
  //   EARLY    later than its upper bound, but within three times the middle
  //   MISS     not within three times the middle
  //   AVERTED  there was half as much room again as when it was told, before
  //            its time: somebody made room, or what filled it was freed
  struct Score {
    v1::ForecastOutcome outcome = v1::FORECAST_OUTCOME_UNSPECIFIED;
    absl::Time claimed_at;
  };

  // A forecast opened; `room` is what is left up to the limit. Nothing while
  // an earlier claim waits for its time.
  void Begin(absl::Time time, const LimitForecast::Estimate& estimate,
             double room);
  // Feeds what is left, zero or less when the limit is reached.
  std::optional<Score> Observe(absl::Time time, double room);

  bool pending() const { return at_ != absl::InfinitePast(); }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.at_, self.low_, self.high_, self.due_, self.room_);
  }

 private:
  absl::Time at_ = absl::InfinitePast();
  absl::Time low_;
  absl::Time high_;
  absl::Time due_;
  double room_ = 0;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_FORECAST_CLAIM_H_
