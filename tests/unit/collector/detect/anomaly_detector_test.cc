#include "collector/detect/anomaly_detector.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "gtest/gtest.h"

namespace forewarn::detect {
namespace {

using wire::MetricKind;

class Fed {
 public:
  explicit Fed(MetricKind kind = MetricKind::kGauge, uint32_t digits = 255)
      : detector_(kind, digits) {}
  double Add(double value) {
    now_ += absl::Minutes(1);
    detector_.Observe(now_, value);
    return detector_.score();
  }

 private:
  AnomalyDetector detector_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

std::mt19937& Random() {
  static std::mt19937 random(11);
  return random;
}
double Gauss() { return std::normal_distribution<double>()(Random()); }

// Minutes of six weeks with a score of at least `limit`.
int Odd(double limit, const std::function<double(int)>& value,
        MetricKind kind = MetricKind::kGauge, uint32_t digits = 255) {
  Fed fed(kind, digits);
  int odd = 0;
  for (int i = 0; i < 42 * 1440; ++i) {
    if (fed.Add(value(i)) >= limit) ++odd;
  }
  return odd;
}

TEST(AnomalyDetectorTest, SaysNothingUntilItHasSeenEnough) {
  Fed fed;
  for (uint32_t i = 0; i < AnomalyDetector::kWarmUp; ++i) {
    EXPECT_EQ(fed.Add(i % 2 == 0 ? 1e9 * Gauss() : 0), 0);
  }
}

TEST(AnomalyDetectorTest, ASpikeStandsOut) {
  Fed fed;
  for (int i = 0; i < 5000; ++i) EXPECT_LT(fed.Add(50 + Gauss()), 0.55);
  EXPECT_GT(fed.Add(80), 0.5);
  double after = 0;
  for (int i = 0; i < 10; ++i) after = fed.Add(50);
  EXPECT_LT(after, 0.3);
}

// A score of 0.5 is a chance of one in 100,000 by the detector's own word; six
// weeks have 60,480 minutes. Real series are worse than their own tail: a few.
TEST(AnomalyDetectorTest, GaussianNoiseIsCalibrated) {
  EXPECT_LE(Odd(0.5, [](int) { return 5 + Gauss(); }), 5);
}

TEST(AnomalyDetectorTest, HeavyTailsAreCalibrated) {
  EXPECT_LE(Odd(0.5, [](int) { return Gauss() * std::abs(Gauss()); }), 8);
  EXPECT_LE(Odd(0.5, [](int) { return std::exp(Gauss()); }), 8);
  EXPECT_LE(
      Odd(0.5,
          [](int) { return std::student_t_distribution<double>(3)(Random()); }),
      12);
}

TEST(AnomalyDetectorTest, AutocorrelatedNoiseIsCalibrated) {
  double level = 0;
  EXPECT_LE(Odd(0.5, [&](int) { return level = 0.99 * level + 0.1 * Gauss(); }),
            5);
}

TEST(AnomalyDetectorTest, IntegersAndTwoValuesAreCalibrated) {
  EXPECT_LE(
      Odd(
          0.5, [](int) { return std::poisson_distribution<int>(2)(Random()); },
          MetricKind::kGauge, 0),
      5);
  EXPECT_LE(Odd(
                0.5, [](int) { return Random()() % 50 == 0 ? 1 : 0; },
                MetricKind::kGauge, 0),
            5);
}

TEST(AnomalyDetectorTest, ADailyRhythmIsCalibrated) {
  EXPECT_LE(Odd(0.5,
                [](int i) {
                  return 50 + 20 * std::sin(i * 2 * M_PI / 1440) + Gauss();
                }),
            5);
}

TEST(AnomalyDetectorTest, ACounterIsJudgedByItsRateAndAResetIsNothing) {
  Fed fed(MetricKind::kCounter, 0);
  double total = 0;
  for (int i = 0; i < 3000; ++i) {
    fed.Add(total += 1000 + std::round(30 * Gauss()));
  }
  EXPECT_LT(fed.Add(total = 0), 0.5);
  EXPECT_LT(fed.Add(total += 1000), 0.5);
  EXPECT_GT(fed.Add(total += 4000), 0.45);
}

TEST(AnomalyDetectorTest, AConstantThatChangesIsOddOnce) {
  Fed fed;
  for (int i = 0; i < 2000; ++i) EXPECT_LT(fed.Add(1), 0.1);
  EXPECT_GT(fed.Add(2), 0.3);
  double last = 1;
  for (int i = 0; i < 500; ++i) last = fed.Add(2);
  EXPECT_LT(last, 0.3) << "the new value has become normal";
}

TEST(AnomalyDetectorTest, AStepBecomesTheNewNormal) {
  Fed fed;
  for (int i = 0; i < 5000; ++i) fed.Add(10 + 0.1 * Gauss());
  EXPECT_GT(fed.Add(50), 0.5);
  for (int i = 0; i < 720; ++i) fed.Add(50 + 0.1 * Gauss());
  double worst = 0;
  for (int i = 0; i < 720; ++i) {
    worst = std::max(worst, fed.Add(50 + 0.1 * Gauss()));
  }
  EXPECT_LT(worst, 0.3);
}

TEST(AnomalyDetectorTest, TimesBefore1970AreDaysLikeOthers) {
  AnomalyDetector before(MetricKind::kGauge, 255);
  AnomalyDetector after(MetricKind::kGauge, 255);
  for (int i = 0; i < 3000; ++i) {
    const double value = 10 + Gauss();
    before.Observe(absl::FromUnixSeconds(-400 * 86400 + i * 60), value);
    after.Observe(absl::FromUnixSeconds(400 * 86400 + i * 60), value);
    ASSERT_EQ(before.score(), after.score());
  }
}

TEST(AnomalyDetectorTest, StaysWithinZeroAndOne) {
  Fed fed;
  for (int i = 0; i < 20000; ++i) {
    const double score = fed.Add(i % 97 == 0   ? 1e300
                                 : i % 89 == 0 ? -1e300
                                               : Gauss());
    ASSERT_GE(score, 0);
    ASSERT_LE(score, 1);
  }
}

}  // namespace
}  // namespace forewarn::detect
