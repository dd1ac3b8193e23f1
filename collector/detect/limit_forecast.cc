#include "collector/detect/limit_forecast.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace forewarn::detect {
namespace {

// Chosen, tried on made traces of fills, leaks, bursts, saw-teeth and stops.
constexpr size_t kMinPoints = 8;
constexpr size_t kMinShortPoints = 4;
// The slope must stand out of so many of its standard errors.
constexpr double kSignificant = 4;
constexpr double kIntervalErrors = 2;
// Each window tried is so much longer than the one before.
constexpr double kWindowRatio = 1.5;
// The halves and the last quarter may differ from the whole by such factors.
constexpr double kSlower = 0.6;
constexpr double kFaster = 2.5;
// A standing trend has stopped when its last quarter has less of its slope.
constexpr double kStopped = 0.2;
// So much of the window must be covered, without a hole of more than that.
constexpr double kCovered = 0.85;
constexpr double kHole = 0.35;
// A trend must have lasted so much of the time it claims to be left: within
// a day, and beyond.
constexpr double kLasted = 0.65;
constexpr double kLastedBeyondDay = 1;
// And less when it is as straight as a line: its interval is so narrow, in
// shares of its middle.
constexpr double kLastedStraight = 0.45;
constexpr double kStraight = 0.12;
// Daily rhythms are trends, too, until a day has been seen.
constexpr absl::Duration kSoon = absl::Hours(4);
constexpr absl::Duration kRhythm = absl::Hours(24);
constexpr absl::Duration kAtOnce = absl::Minutes(30);
constexpr double kEverSince = 0.6;

// Not worth a closer look: by its ends alone the trend is so much too slow.
constexpr double kFarTooSlow = 2;

// Slope between the first and the last third. A line's own, and cheap.
double CrudeSlope(absl::Span<const TrendPoint> points) {
  const size_t third = std::max<size_t>(points.size() / 3, 1);
  const size_t shift = points.size() - third;
  double seconds = 0, rise = 0;
  for (size_t i = 0; i < third; ++i) {
    seconds += points[shift + i].seconds - points[i].seconds;
    rise += points[shift + i].value - points[i].value;
  }
  return seconds > 0 ? rise / seconds : 0;
}

double Median3(double a, double b, double c) {
  return std::max(std::min(a, b), std::min(std::max(a, b), c));
}

absl::Span<const TrendPoint> Since(absl::Span<const TrendPoint> points,
                                   double seconds) {
  size_t from = 0;
  while (from < points.size() && points[from].seconds < seconds) ++from;
  return points.subspan(from);
}

double Lasted(const LimitForecast::Estimate& estimate) {
  if (estimate.high - estimate.low < kStraight * estimate.middle) {
    return kLastedStraight;
  }
  return estimate.middle > kRhythm ? kLastedBeyondDay : kLasted;
}

}  // namespace

LimitForecast::LimitForecast(Direction direction, absl::Duration horizon,
                             absl::Duration min_window)
    : sign_(direction == Direction::kUp ? 1 : -1),
      horizon_(horizon),
      min_window_(std::max(min_window, absl::Minutes(1))) {}

void LimitForecast::Observe(absl::Time time, double value, double limit) {
  const double rising = sign_ * value;
  if (seen_ >= 2) {
    // The middle one of three, at its own time: a spike of one sample is gone.
    const double median = Median3(before_, latest_, rising);
    memory_.Add(now_, median);
    rises_.Add(now_, median, sign_ * limit);
    day_.Add(now_, median);
  }
  before_time_ = now_;
  before_ = latest_;
  now_ = time;
  latest_ = rising;
  if (seen_++ == 0) first_ = rising;
}

// Before a day was seen nobody knows what a day brings: until then only what
// is about to happen, or has gone on ever since, is believed.
bool LimitForecast::SeenLongEnough(const Estimate& estimate) const {
  const absl::Duration reach = memory_.Reach(now_);
  if (reach >= kRhythm || estimate.middle <= kAtOnce) return true;
  const double ever = (latest_ - first_) / absl::ToDoubleSeconds(reach);
  return ever >= kEverSince * std::abs(estimate.slope) &&
         (estimate.middle <= kSoon || reach >= 2 * estimate.middle);
}

// Of a rise over `window`, per second: what yesterday brought as well.
double LimitForecast::DailyShare(absl::Duration window) const {
  const std::optional<double> rise = day_.RiseOfYesterday(now_, window);
  return rise ? std::max(0.0, *rise) / absl::ToDoubleSeconds(window) : 0;
}

std::optional<LimitForecast::Estimate> LimitForecast::EstimateOver(
    absl::Duration window, double limit, bool standing) const {
  std::array<TrendPoint, kMaxTrendPoints> storage;
  const size_t n = memory_.Window(now_, window, storage);
  if (n < kMinPoints) return std::nullopt;
  const absl::Span<const TrendPoint> points(storage.data(), n);
  const double window_seconds = absl::ToDoubleSeconds(window);

  if (-points[0].seconds < kCovered * window_seconds) return std::nullopt;
  for (size_t i = 1; i < n; ++i) {
    if (points[i].seconds - points[i - 1].seconds > kHole * window_seconds) {
      return std::nullopt;
    }
  }
  const double crude = CrudeSlope(points);
  if (crude <= 0 ||
      limit - latest_ > kFarTooSlow * crude * absl::ToDoubleSeconds(horizon_)) {
    return std::nullopt;
  }
  std::optional<RobustTrend> whole = FitTrend(points);
  if (!whole || whole->slope <= 0 ||
      whole->slope < kSignificant * whole->slope_error) {
    return std::nullopt;
  }

  // The last quarter, or what it takes to see anything at all.
  absl::Span<const TrendPoint> last = Since(points, -window_seconds / 4);
  if (last.size() < kMinShortPoints) {
    last = points.subspan(n - kMinShortPoints);
  }
  const std::optional<RobustTrend> recent = FitTrend(last);
  if (!recent) return std::nullopt;
  const double doubt = kIntervalErrors * recent->slope_error;
  if (standing) {
    if (recent->slope + doubt < kStopped * whole->slope ||
        recent->slope < -whole->slope) {
      return std::nullopt;
    }
  } else {
    if (recent->slope < kSlower * whole->slope ||
        recent->slope - doubt > kFaster * whole->slope) {
      return std::nullopt;
    }
    const absl::Span<const TrendPoint> newer =
        Since(points, -window_seconds / 2);
    const std::optional<RobustTrend> late = FitTrend(newer);
    const std::optional<RobustTrend> early =
        FitTrend(points.subspan(0, n - newer.size()));
    if (!late || !early) return std::nullopt;
    for (const double slope : {late->slope, early->slope}) {
      if (slope < kSlower * whole->slope || slope > kFaster * whole->slope) {
        return std::nullopt;
      }
    }
  }

  // Where the line stands now, by its newer part.
  const double level = recent->level;
  const double room = limit - level;
  if (room <= 0) {
    if (!standing) return std::nullopt;  // reached: no forecast any more
    return Estimate{.low = absl::ZeroDuration(),
                    .middle = absl::ZeroDuration(),
                    .high = absl::ZeroDuration(),
                    .window = window,
                    .slope = sign_ * whole->slope};
  }
  // What remains when today's rhythm is taken out.
  const double daily = standing ? 0 : DailyShare(window);
  if (daily > 0) {
    if (whole->slope - daily < kSignificant * whole->slope_error) {
      return std::nullopt;
    }
    whole->slope -= daily;
  }
  const double error = kIntervalErrors * whole->slope_error;
  const double fastest = std::max(whole->slope + error, recent->slope - daily);
  const double slowest =
      std::min(whole->slope - error, std::max(recent->slope - daily, 0.0));
  const double middle = room / whole->slope;
  Estimate estimate;
  estimate.middle = absl::Seconds(middle);
  estimate.low = absl::Seconds(room / fastest);
  estimate.high =
      slowest > 0 ? absl::Seconds(room / slowest) : absl::InfiniteDuration();
  estimate.window = window;
  estimate.slope = sign_ * whole->slope;
  return estimate;
}

std::optional<LimitForecast::Estimate> LimitForecast::EstimateTimeLeft(
    double limit, bool standing) const {
  if (seen_ < kMinPoints) return std::nullopt;
  const double rising_limit = sign_ * limit;
  const absl::Duration reach = memory_.Reach(now_);
  for (absl::Duration window = min_window_;; window *= kWindowRatio) {
    if (reach < window * kCovered) {
      return std::nullopt;
    }
    const std::optional<Estimate> estimate =
        EstimateOver(window, rising_limit, standing);
    if (!estimate || estimate->low > horizon_) continue;
    const double lasted = Lasted(*estimate);
    if (!standing) {
      if (window < lasted * estimate->middle || !SeenLongEnough(*estimate) ||
          rises_.HasPrecedent(latest_, std::abs(estimate->slope),
                              rising_limit)) {
        continue;
      }
    } else if (window < lasted / 2 * estimate->middle) {
      continue;
    }
    return estimate;
  }
}

size_t LimitForecast::Window(
    absl::Duration window,
    std::array<TrendPoint, kMaxTrendPoints>& points) const {
  const size_t n = memory_.Window(now_, window, points);
  for (size_t i = 0; i < n; ++i) points[i].value *= sign_;
  return n;
}

}  // namespace forewarn::detect
