#include "collector/detect/forecast_claim.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace forewarn::detect {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

// A forecast of ten hours, between eight and thirteen, with 40 units of room.
ForecastClaim TenHours() {
  LimitForecast::Estimate estimate;
  estimate.low = absl::Hours(8);
  estimate.middle = absl::Hours(10);
  estimate.high = absl::Hours(13);
  ForecastClaim claim;
  claim.Begin(kStart, estimate, 40);
  return claim;
}

// The outcome when the room goes from 40 to nothing in so many hours.
v1::ForecastOutcome FullAfter(double hours) {
  ForecastClaim claim = TenHours();
  for (double at = 0; at < 100; at += 0.1) {
    const auto score = claim.Observe(kStart + absl::Hours(at),
                                     40 * std::max(0.0, 1 - at / hours));
    if (!score) continue;
    EXPECT_EQ(score->claimed_at, kStart);
    EXPECT_FALSE(claim.pending());
    return score->outcome;
  }
  return v1::FORECAST_OUTCOME_UNSPECIFIED;
}

TEST(ForecastClaimTest, IsScoredByTheIntervalItNamed) {
  EXPECT_EQ(FullAfter(10), v1::FORECAST_OUTCOME_HIT);
  EXPECT_EQ(FullAfter(12.5), v1::FORECAST_OUTCOME_HIT);
  EXPECT_EQ(FullAfter(5), v1::FORECAST_OUTCOME_LATE);
  EXPECT_EQ(FullAfter(20), v1::FORECAST_OUTCOME_EARLY);
  EXPECT_EQ(FullAfter(60), v1::FORECAST_OUTCOME_MISS);
}

TEST(ForecastClaimTest, RoomThatWasMadeAvertsIt) {
  ForecastClaim claim = TenHours();
  EXPECT_FALSE(claim.Observe(kStart + absl::Hours(5), 20));
  const auto score = claim.Observe(kStart + absl::Hours(6), 70);
  ASSERT_TRUE(score);
  EXPECT_EQ(score->outcome, v1::FORECAST_OUTCOME_AVERTED);
}

TEST(ForecastClaimTest, WaitsForItsTimeThroughLaterForecasts) {
  ForecastClaim claim = TenHours();
  LimitForecast::Estimate soon;
  soon.low = soon.middle = soon.high = absl::Minutes(1);
  claim.Begin(kStart + absl::Hours(1), soon, 30);
  EXPECT_FALSE(claim.Observe(kStart + absl::Hours(29), 30));
  EXPECT_TRUE(claim.Observe(kStart + absl::Hours(30), 30));
}

TEST(ForecastClaimTest, OfALimitThatIsReachedNothingIsClaimed) {
  ForecastClaim claim;
  claim.Begin(kStart, {}, 0);
  EXPECT_FALSE(claim.pending());
}

}  // namespace
}  // namespace forewarn::detect
