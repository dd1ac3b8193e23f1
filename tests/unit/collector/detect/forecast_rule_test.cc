#include "collector/detect/forecast_rule.h"

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace forewarn::detect {
namespace {

using Direction = LimitForecast::Direction;

constexpr double kNever = std::numeric_limits<double>::infinity();

// As the shipped disk_fill: under 4 h P2, under 24 h P3, under 4 d P4.
std::vector<ForecastRule::Tier> Tiers(std::optional<double> from) {
  return {{absl::Hours(4), absl::ZeroDuration(), from, 2},
          {absl::Hours(24), absl::Minutes(30), from, 3},
          {absl::Hours(96), absl::Hours(1), from, 4}};
}

struct Told {
  int opened = 0;
  int closed = 0;
  double first_hour = kNever;  // when it opened first
  double last_closed_hour = kNever;
  double first_left_hours = 0;
  int urgency = 9;  // the most urgent
  bool low_is_lowest = true;
};

// Feeds value(hour) every `step` for `hours`.
Told Feed(const std::function<double(double)>& value, absl::Duration step,
         double hours, double limit = 1.0,
         Direction direction = Direction::kUp,
         std::optional<double> from = 0.5) {
  ForecastRule rule(direction, absl::Minutes(5), Tiers(from));
  const absl::Time start = absl::FromUnixSeconds(1'800'000'000);
  Told told;
  bool stands = false;
  for (absl::Duration since; since < absl::Hours(1) * hours; since += step) {
    const double hour = absl::ToDoubleHours(since);
    const auto& verdict =
        rule.Observe(start + since, value(hour), limit, false);
    if (verdict && !stands) {
      ++told.opened;
      if (told.first_hour == kNever) {
        told.first_hour = hour;
        told.first_left_hours =
            absl::ToDoubleHours(verdict->estimate.middle);
      }
    }
    if (verdict) {
      told.urgency =
          std::min(told.urgency, rule.tiers()[verdict->tier].urgency);
      told.low_is_lowest = told.low_is_lowest &&
                           verdict->estimate.low <= verdict->estimate.middle &&
                           verdict->estimate.middle <= verdict->estimate.high;
    }
    if (!verdict && stands) {
      ++told.closed;
      told.last_closed_hour = hour;
    }
    stands = verdict.has_value();
  }
  return told;
}

double Noise(double sigma) {
  static std::mt19937 random(1);
  return std::normal_distribution<double>(0, sigma)(random);
}

double Ramp(double hour, double onset, double end, double low, double high) {
  if (hour <= onset) return low;
  return std::min(high, low + (high - low) * (hour - onset) / (end - onset));
}

TEST(ForecastRuleTest, AFillWithinTwelveMinutesIsToldMinutesAhead) {
  const double end = 0.2;  // hours
  const Told told = Feed([&](double h) { return Ramp(h, 0, end, 0, 1); },
                        absl::Seconds(10), end);
  EXPECT_EQ(told.opened, 1);
  EXPECT_EQ(told.urgency, 2);
  EXPECT_LT(told.first_hour, end - 5.0 / 60);
  EXPECT_GE(told.first_hour, 5.0 / 60);
  EXPECT_NEAR(told.first_left_hours, end - told.first_hour, 0.02);
}

TEST(ForecastRuleTest, AFillInChunksIsToldToo) {
  // 5 % every 30 s, after ten quiet minutes.
  const double onset = 10.0 / 60, end = onset + 0.2;
  const Told told = Feed(
      [&](double h) {
        return std::floor(Ramp(h, onset, end, 0, 1) * 24) / 24;
      },
      absl::Seconds(10), end);
  EXPECT_EQ(told.opened, 1);
  EXPECT_LT(told.first_hour, end - 3.0 / 60);
}

TEST(ForecastRuleTest, StandsWhenTheLimitIsReached) {
  const Told told = Feed([&](double h) { return Ramp(h, 0, 0.2, 0, 1); },
                        absl::Seconds(10), 2);
  EXPECT_EQ(told.opened, 1);
  EXPECT_EQ(told.closed, 0);
}

TEST(ForecastRuleTest, ClosesSoonWhenRoomIsMade) {
  const Told told = Feed(
      [&](double h) { return h < 0.19 ? Ramp(h, 0, 0.2, 0, 1) : 0.1; },
      absl::Seconds(10), 1);
  EXPECT_EQ(told.opened, 1);
  EXPECT_EQ(told.closed, 1);
  EXPECT_LT(told.last_closed_hour, 0.19 + 10.0 / 60);
}

TEST(ForecastRuleTest, AFillOverADayIsToldHoursAhead) {
  const double onset = 48, end = 48 + 30;
  const Told told = Feed(
      [&](double h) { return Ramp(h, onset, end, 0.4, 1) + Noise(0.001); },
      absl::Minutes(1), end);
  EXPECT_GE(told.opened, 1);
  EXPECT_LT(told.first_hour, end - 10);
  EXPECT_EQ(told.urgency, 2);  // at last
  EXPECT_TRUE(told.low_is_lowest);
}

TEST(ForecastRuleTest, AFillOverWeeksIsToldADayAhead) {
  const double end = 21 * 24;
  const Told told =
      Feed([&](double h) { return Ramp(h, 0, end, 0.5, 1) + Noise(0.002); },
          absl::Minutes(5), end);
  EXPECT_EQ(told.opened, 1);
  EXPECT_LT(told.first_hour, end - 24);
  EXPECT_GT(told.first_hour, end - 7 * 24);
}

TEST(ForecastRuleTest, AFallToZeroIsToldToo) {
  const double end = 40 * 24;
  const Told told = Feed([&](double h) { return (end - h) / 24; },
                        absl::Hours(1), end - 1, 0, Direction::kDown,
                        std::nullopt);
  EXPECT_EQ(told.opened, 1);
  EXPECT_NEAR(told.first_hour, end - 4 * 24, 12);
}

TEST(ForecastRuleTest, WhiteNoiseSaysNothing) {
  const Told told = Feed([](double) { return 0.8 + Noise(0.03); },
                        absl::Seconds(10), 48);
  EXPECT_EQ(told.opened, 0);
}

TEST(ForecastRuleTest, AWanderingValueSaysNothing) {
  // Memory of a busy desktop: autocorrelated over half an hour.
  double level = 0;
  const Told told = Feed(
      [&](double) {
        level = level * 0.995 + Noise(0.002);
        return 0.65 + level;
      },
      absl::Seconds(10), 72);
  EXPECT_EQ(told.opened, 0);
}

TEST(ForecastRuleTest, ADailyRhythmSaysNothing) {
  const Told told = Feed(
      [](double h) {
        return 0.65 + 0.12 * std::sin(h * 2 * M_PI / 24) + Noise(0.004);
      },
      absl::Minutes(1), 10 * 24);
  EXPECT_EQ(told.opened, 0);
}

TEST(ForecastRuleTest, LogRotationIsToldAtMostOnceThenNeverAgain) {
  // Grows from 60 to 85 % in eight hours, is rotated, and so on.
  const Told told = Feed(
      [](double h) { return 0.6 + 0.25 * std::fmod(h, 8) / 8 + Noise(0.001); },
      absl::Minutes(1), 10 * 24);
  EXPECT_LE(told.opened, 1);
  if (told.opened == 1) {
    EXPECT_LT(told.first_hour, 8);
  }
}

TEST(ForecastRuleTest, AfterSawTeethARunawayIsStillTold) {
  const double onset = 96;
  const Told told = Feed(
      [&](double h) {
        const double tooth = 0.5 + 0.2 * std::fmod(h, 8) / 8;
        return h < onset ? tooth : std::min(1.0, 0.5 + 0.5 * (h - onset) / 20);
      },
      absl::Minutes(1), onset + 20);
  EXPECT_GE(told.opened, 1);
  EXPECT_LT(told.first_hour, onset + 19);
  EXPECT_GT(told.first_hour, 8);
}

TEST(ForecastRuleTest, ANightlyBurstIsToldAtMostOnce) {
  // A backup of three hours every night that is removed when it is done.
  const Told told = Feed(
      [](double h) {
        const double of_day = std::fmod(h, 24);
        return of_day >= 2 && of_day < 5
                   ? 0.45 + 0.45 * (of_day - 2) / 3 + Noise(0.001)
                   : 0.45 + Noise(0.001);
      },
      absl::Minutes(1), 14 * 24);
  EXPECT_LE(told.opened, 1);
}

TEST(ForecastRuleTest, AJumpIsNoTrend) {
  const Told told = Feed(
      [](double h) { return (h < 30 ? 0.4 : 0.85) + Noise(0.002); },
      absl::Seconds(30), 72);
  EXPECT_EQ(told.opened, 0);
}

TEST(ForecastRuleTest, ATrendThatStopsIsClosed) {
  const Told told = Feed(
      [](double h) { return Ramp(h, 30, 36, 0.3, 0.9) + Noise(0.001); },
      absl::Seconds(30), 72);
  EXPECT_EQ(told.opened, 1);
  EXPECT_EQ(told.closed, 1);
  EXPECT_LT(told.last_closed_hour, 42);
}

TEST(ForecastRuleTest, StaysQuietBelowFrom) {
  const Told told = Feed([](double h) { return Ramp(h, 0, 1, 0, 0.49); },
                        absl::Seconds(10), 1);
  EXPECT_EQ(told.opened, 0);
}

TEST(ForecastRuleTest, ALimitThatGrowsTakesTheForecastBack) {
  ForecastRule rule(Direction::kUp, absl::Minutes(5), Tiers(std::nullopt));
  const absl::Time start = absl::FromUnixSeconds(1'800'000'000);
  bool stood = false;
  for (int i = 0; i < 300; ++i) {
    const double limit = i < 60 ? 1000 : 1e6;
    const auto& verdict = rule.Observe(start + i * absl::Seconds(10),
                                       i * 12.0, limit, false);
    if (i < 60) stood = stood || verdict.has_value();
  }
  EXPECT_TRUE(stood);
  EXPECT_FALSE(rule.verdict().has_value());
}

TEST(ForecastRuleTest, AGapOfANightIsNoTrend) {
  const Told told = Feed(
      [](double h) { return h < 8 ? 0.5 + Noise(0.001) : 0.8 + Noise(0.001); },
      absl::Minutes(1), 24);
  EXPECT_EQ(told.opened, 0);
}

// Nobody knows yet whether every day brings this.
TEST(ForecastRuleTest, ABurstOfTheFirstDayIsNotTold) {
  const auto burst = [](double h) {
    return h < 6    ? 0.4
           : h < 10 ? 0.4 + 0.1 * (h - 6)
                    : 0.4;
  };
  EXPECT_EQ(Feed(burst, absl::Minutes(1), 20).opened, 0);
}

TEST(ForecastRuleTest, ALeakFromTheFirstMinuteOnIsTold) {
  const Told told = Feed(
      [](double h) { return 0.4 + 0.06 * h + Noise(0.002); },
      absl::Minutes(1), 10);
  EXPECT_GE(told.opened, 1);
  EXPECT_LT(told.first_hour, 9);
}

// A cache that warms up for a day, and then is warm.
TEST(ForecastRuleTest, AForecastThatDoesNotComeTrueIsTakenBack) {
  const Told told = Feed(
      [](double h) {
        return h < 72 ? 0.2 + Noise(0.002)
                      : 0.2 + 0.65 * (1 - std::exp((72 - h) / 40)) +
                            0.0002 * (h - 72) + Noise(0.002);
      },
      absl::Minutes(5), 500);
  EXPECT_EQ(told.opened, told.closed);
  EXPECT_LE(told.opened, 1);
}

}  // namespace
}  // namespace forewarn::detect
