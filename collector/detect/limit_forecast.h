#ifndef FOREWARN_COLLECTOR_DETECT_LIMIT_FORECAST_H_
#define FOREWARN_COLLECTOR_DETECT_LIMIT_FORECAST_H_

#include <cstddef>
#include <optional>

#include "absl/time/time.h"
#include "collector/detect/day_rhythm.h"
#include "collector/detect/rise_history.h"
#include "collector/detect/robust_trend.h"
#include "collector/detect/trend_memory.h"

namespace forewarn::detect {

// Time until a series reaches its limit, from the median of pairwise slopes.
//
// It looks back about as far as it looks ahead, so that a fill within minutes
// and one within weeks are seen by the same code. It speaks only when the
// trend has lasted long enough for what it claims, stands out of its own
// uncertainty, the window's halves and its last quarter agree with the whole,
// and the rise is unlike earlier ones that ended by themselves (log rotation,
// nightly jobs, warm afternoons).
//
// Memory   about 7 KB when all levels of TrendMemory are full.
// Cost     a few fits of at most 60 points an estimate, none where the ends
//          of the windows show that the limit is far.
// Threads  thread-compatible; the owning shard calls it.
class LimitForecast {
 public:
  enum class Direction { kUp, kDown };

  // Time left as an interval; all positive, high may be infinite.
  struct Estimate {
    absl::Duration low;
    absl::Duration middle;
    absl::Duration high;
    absl::Duration window;  // the trend's
    double slope = 0;       // per second, in the series' own direction

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.low, self.middle, self.high, self.window, self.slope);
    }
  };

  // Estimates farther ahead than `horizon` are not made; trends shorter than
  // `min_window` are not believed.
  LimitForecast(Direction direction, absl::Duration horizon,
                absl::Duration min_window);

  // Finite values, ascending times; one odd sample alone is not believed.
  void Observe(absl::Time time, double value, double limit);

  // `standing`: a forecast stands already, so that it is held as long as the
  // trend goes on at all, whatever else happens.
  std::optional<Estimate> EstimateTimeLeft(double limit, bool standing) const;

  // Points of `window` for people to look at, in real values.
  size_t Window(absl::Duration window,
                std::array<TrendPoint, kMaxTrendPoints>& points) const;

  absl::Time now() const { return now_; }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.memory_, self.rises_, self.day_, self.seen_, self.first_,
            self.now_, self.before_time_, self.latest_, self.before_);
  }

 private:
  std::optional<Estimate> EstimateOver(absl::Duration window, double limit,
                                       bool standing) const;
  bool SeenLongEnough(const Estimate& estimate) const;
  double DailyShare(absl::Duration window) const;

  double sign_;
  absl::Duration horizon_;
  absl::Duration min_window_;
  TrendMemory memory_;  // of sign_ * value, so that all trends rise
  RiseHistory rises_;
  DayRhythm day_;

  // The two samples before, for the median of three.
  size_t seen_ = 0;
  double first_ = 0;  // value of all
  absl::Time now_ = absl::InfinitePast();
  absl::Time before_time_ = absl::InfinitePast();
  double latest_ = 0;
  double before_ = 0;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_LIMIT_FORECAST_H_
