#include "collector/detect/forecast_claim.h"

#include <algorithm>

namespace forewarn::detect {
namespace {

// A factor within which a time that was named is right enough to act upon.
constexpr int kDueAfter = 3;
// Less time than this between two looks tells nothing.
constexpr absl::Duration kLeastDue = absl::Minutes(30);
// So near to the limit it counts as reached: memory never fills to the last
// page, programs are killed before. So far from it room was made.
constexpr double kReached = 0.1;
constexpr double kRoomMade = 1.5;

}  // namespace

void ForecastClaim::Begin(absl::Time time,
                          const LimitForecast::Estimate& estimate,
                          double room) {
  if (pending() || room <= 0) return;
  at_ = time;
  low_ = time + estimate.low;
  due_ = time + std::max(kDueAfter * estimate.middle, kLeastDue);
  high_ = time + std::min(estimate.high, due_ - time);
  room_ = room;
}

std::optional<ForecastClaim::Score> ForecastClaim::Observe(absl::Time time,
                                                           double room) {
  if (!pending()) return std::nullopt;
  Score score{v1::FORECAST_OUTCOME_UNSPECIFIED, at_};
  if (room <= kReached * room_) {
    score.outcome = time < low_     ? v1::FORECAST_OUTCOME_LATE
                    : time <= high_ ? v1::FORECAST_OUTCOME_HIT
                                    : v1::FORECAST_OUTCOME_EARLY;
  } else if (time >= due_) {
    score.outcome = v1::FORECAST_OUTCOME_MISS;
  } else if (room > kRoomMade * room_) {
    score.outcome = v1::FORECAST_OUTCOME_AVERTED;
  } else {
    return std::nullopt;
  }
  at_ = absl::InfinitePast();
  return score;
}

}  // namespace forewarn::detect
