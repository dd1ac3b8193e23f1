#include "collector/detect/limit_forecast.h"

#include <array>
#include <cmath>
#include <random>

#include "collector/detect/day_rhythm.h"
#include "collector/detect/rise_history.h"
#include "collector/detect/robust_trend.h"
#include "collector/detect/trend_memory.h"
#include "gtest/gtest.h"

namespace forewarn::detect {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

TEST(RobustTrendTest, AnOutlierDoesNotBendTheLine) {
  std::array<TrendPoint, 30> points;
  for (int i = 0; i < 30; ++i) points[i] = {i - 29.0, 2.0 * i};
  points[5].value = 1e6;
  points[20].value = -1e6;
  const std::optional<RobustTrend> trend = FitTrend(points);
  ASSERT_TRUE(trend.has_value());
  EXPECT_NEAR(trend->slope, 2, 1e-9);
  EXPECT_NEAR(trend->level, 58, 1e-6);
}

TEST(RobustTrendTest, NoiseMakesAnHonestError) {
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0, 1);
  int outside = 0;
  for (int run = 0; run < 500; ++run) {
    std::array<TrendPoint, 40> points;
    for (int i = 0; i < 40; ++i) points[i] = {double(i), noise(random)};
    const RobustTrend trend = *FitTrend(points);
    if (std::abs(trend.slope) > 2 * trend.slope_error) ++outside;
  }
  EXPECT_LT(outside, 50);  // 5 % by theory
  EXPECT_GT(outside, 2);
}

TEST(RobustTrendTest, TwoPointsAreNoTrend) {
  const TrendPoint points[] = {{0, 1}, {1, 2}};
  EXPECT_FALSE(FitTrend(points).has_value());
}

TEST(TrendMemoryTest, ReachesWeeksBackInSixtyPoints) {
  TrendMemory memory;
  absl::Time now = kStart;
  for (int i = 0; i < 20 * 1440; ++i) memory.Add(now += absl::Minutes(1), i);
  std::array<TrendPoint, kMaxTrendPoints> points;
  const size_t n = memory.Window(now, absl::Hours(14 * 24), points);
  ASSERT_GE(n, 12u);
  ASSERT_LE(n, TrendMemory::kPoints);
  EXPECT_NEAR(points[0].seconds, -14 * 86400, 86400);
  for (size_t i = 0; i < n; ++i) {
    EXPECT_NEAR(points[i].value, 20 * 1440 - 1 + points[i].seconds / 60, 1);
  }
}

TEST(TrendMemoryTest, KeepsTheLastMinutesFinely) {
  TrendMemory memory;
  absl::Time now = kStart;
  for (int i = 0; i < 1000; ++i) memory.Add(now += absl::Seconds(10), i);
  std::array<TrendPoint, kMaxTrendPoints> points;
  EXPECT_NEAR(memory.Window(now, absl::Minutes(5), points), 30, 1);
}

TEST(DayRhythmTest, KnowsWhatYesterdayBroughtAndWhatHasGrownSince) {
  const auto rise = [](double per_day, double swing) {
    DayRhythm day;
    // Until the end of a half hour in the steepest stretch of the day.
    const absl::Time start = absl::FromUnixSeconds(1'800'000'000);
    absl::Time now = start;
    for (; now < start + absl::Hours(72); now += absl::Minutes(5)) {
      const double days = absl::ToDoubleHours(now - start) / 24;
      day.Add(now, per_day * days + swing * std::sin(2 * M_PI * days));
    }
    return day.RiseOfYesterday(now, absl::Hours(3));
  };
  ASSERT_TRUE(rise(0, 1).has_value());
  EXPECT_NEAR(*rise(0, 1), std::sin(2 * M_PI / 8), 0.1);
  EXPECT_NEAR(*rise(5, 0), 0, 0.02) << "steady growth is no rhythm";
  EXPECT_NEAR(*rise(5, 1), *rise(0, 1), 0.02);
}

TEST(DayRhythmTest, SaysNothingOfADayThatItHasNotSeen) {
  DayRhythm day;
  absl::Time now = kStart;
  for (int i = 0; i < 20 * 12; ++i) day.Add(now += absl::Minutes(5), i);
  EXPECT_FALSE(day.RiseOfYesterday(now, absl::Hours(3)).has_value());
  // After a night without samples there is no yesterday either.
  now += absl::Hours(30);
  for (int i = 0; i < 12; ++i) day.Add(now += absl::Minutes(5), i);
  EXPECT_FALSE(day.RiseOfYesterday(now, absl::Hours(3)).has_value());
}

TEST(RiseHistoryTest, KnowsARiseThatTurnedBack) {
  RiseHistory rises;
  absl::Time now = kStart;
  const auto feed = [&](double value) {
    rises.Add(now += absl::Minutes(1), value, 100);
  };
  for (int i = 0; i < 100; ++i) feed(10);
  EXPECT_FALSE(rises.HasPrecedent(30, 0.5 / 60, 100));
  for (int i = 0; i < 80; ++i) feed(10 + i * 0.5);
  for (int i = 0; i < 100; ++i) feed(10);
  EXPECT_TRUE(rises.HasPrecedent(30, 0.5 / 60, 100));
  EXPECT_FALSE(rises.HasPrecedent(60, 0.5 / 60, 100)) << "went higher";
  EXPECT_FALSE(rises.HasPrecedent(30, 5.0 / 60, 100)) << "ten times as fast";
  EXPECT_FALSE(rises.HasPrecedent(30, 0.5 / 60, 50)) << "it had reached it";
}

TEST(LimitForecastTest, TheIntervalHoldsTheTruth) {
  std::mt19937 random(3);
  std::normal_distribution<double> noise(0, 0.01);
  LimitForecast forecast(LimitForecast::Direction::kUp, absl::Hours(96),
                         absl::Minutes(5));
  for (int i = 0; i < 120; ++i) {
    forecast.Observe(kStart + i * absl::Seconds(10),
                     i / 240.0 + noise(random), 1.0);
  }
  const auto estimate = forecast.EstimateTimeLeft(1.0, false);
  ASSERT_TRUE(estimate.has_value());
  EXPECT_LE(estimate->low, absl::Seconds(1210));
  EXPECT_GE(estimate->high, absl::Seconds(1210));
  EXPECT_GT(estimate->slope, 0);
}

TEST(LimitForecastTest, ALimitAlreadyReachedIsNoForecast) {
  LimitForecast forecast(LimitForecast::Direction::kUp, absl::Hours(96),
                         absl::Minutes(5));
  for (int i = 0; i < 120; ++i) {
    forecast.Observe(kStart + i * absl::Seconds(10), i, 50);
  }
  EXPECT_FALSE(forecast.EstimateTimeLeft(50, false).has_value());
}

TEST(LimitForecastTest, TooFewSamplesSayNothing) {
  LimitForecast forecast(LimitForecast::Direction::kUp, absl::Hours(96),
                         absl::Minutes(5));
  for (int i = 0; i < 20; ++i) {
    forecast.Observe(kStart + i * absl::Seconds(10), i, 25);
  }
  EXPECT_FALSE(forecast.EstimateTimeLeft(25, false).has_value());
}

}  // namespace
}  // namespace forewarn::detect
