#include "collector/detect/sample_window.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "collector/detect/cadence.h"
#include "gtest/gtest.h"

namespace forewarn::detect {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

// A window fed at a fixed tick.
class Fed {
 public:
  explicit Fed(absl::Duration window) : window_(window) {
    window_.Need(WindowFunction::kMax);
    window_.Need(WindowFunction::kIncrease);
  }
  void Add(double value, absl::Duration after = absl::Seconds(10)) {
    now_ += after;
    window_.Add(now_, value, cadence_.Observe(now_));
  }
  std::optional<double> Value(WindowFunction function) const {
    return window_.Value(function, now_);
  }

 private:
  SampleWindow window_;
  Cadence cadence_;
  absl::Time now_ = kStart;
};

TEST(SampleWindowTest, AverageSpeaksWhenNineTenthsAreFilled) {
  Fed fed(absl::Seconds(100));
  for (int i = 0; i < 9; ++i) fed.Add(4);
  EXPECT_EQ(fed.Value(WindowFunction::kAverage), std::nullopt);
  fed.Add(4);
  EXPECT_EQ(fed.Value(WindowFunction::kAverage), 4.0);
  EXPECT_EQ(fed.Value(WindowFunction::kMin), 4.0);
}

TEST(SampleWindowTest, ForgetsWhatIsOlder) {
  Fed fed(absl::Minutes(10));
  for (int i = 0; i < 60; ++i) fed.Add(100);
  for (int i = 0; i < 62; ++i) fed.Add(i % 2);
  EXPECT_EQ(fed.Value(WindowFunction::kMax), 1.0);
  EXPECT_EQ(fed.Value(WindowFunction::kMin), 0.0);
  EXPECT_NEAR(*fed.Value(WindowFunction::kAverage), 0.5, 0.01);
}

TEST(SampleWindowTest, AGapDoesNotFillTheWindow) {
  Fed fed(absl::Minutes(10));
  for (int i = 0; i < 10; ++i) fed.Add(1);
  fed.Add(1, absl::Minutes(8));
  EXPECT_EQ(fed.Value(WindowFunction::kAverage), std::nullopt);
}

TEST(SampleWindowTest, AResetCounterIsNoIncrease) {
  Fed fed(absl::Minutes(10));
  for (const double value : {100.0, 103.0, 0.0, 0.0, 2.0}) fed.Add(value);
  EXPECT_EQ(fed.Value(WindowFunction::kIncrease), 5.0);
}

TEST(SampleWindowTest, TheFirstSampleIsNoIncrease) {
  Fed fed(absl::Minutes(10));
  fed.Add(5000);
  EXPECT_EQ(fed.Value(WindowFunction::kIncrease), 0.0);
}

TEST(SampleWindowTest, RateIsPerSecond) {
  Fed fed(absl::Minutes(1));
  for (int i = 0; i < 20; ++i) fed.Add(i * 30.0);
  EXPECT_NEAR(*fed.Value(WindowFunction::kRate), 3.0, 1e-6);
}

TEST(SampleWindowTest, IncreaseLeavesTheWindowInTime) {
  Fed fed(absl::Minutes(30));
  fed.Add(0);
  fed.Add(1);
  for (int i = 0; i < 179; ++i) fed.Add(1);
  EXPECT_EQ(fed.Value(WindowFunction::kIncrease), 1.0);
  for (int i = 0; i < 6; ++i) fed.Add(1);
  EXPECT_EQ(fed.Value(WindowFunction::kIncrease), 0.0);
}

TEST(SampleWindowTest, ChangeIsLastMinusFirst) {
  Fed fed(absl::Minutes(1));
  for (int i = 0; i < 30; ++i) fed.Add(100.0 - i);
  EXPECT_EQ(fed.Value(WindowFunction::kChange), -6.0);
  EXPECT_EQ(fed.Value(WindowFunction::kChanges), 6.0);
}

// What goes in and out as the window slides is what it would be if it were
// summed up each time.
TEST(SampleWindowTest, SlidesAsIfItWereSummedAnew) {
  SampleWindow slides(absl::Seconds(590));  // buckets of just a sample each
  for (const auto function : {WindowFunction::kMin, WindowFunction::kRate}) {
    slides.Need(function);
  }
  Cadence cadence;
  absl::Time now = kStart;
  std::vector<double> values;
  double value = 50;
  for (int i = 0; i < 5000; ++i) {
    value += i % 7 - 3 + 0.1 * (i % 13);
    values.push_back(value);
    now += absl::Seconds(10);
    slides.Add(now, value, cadence.Observe(now));
    if (i < 200) continue;
    double sum = 0, min = value, increase = 0;
    for (size_t k = values.size() - 59; k < values.size(); ++k) {
      sum += values[k];
      min = std::min(min, values[k]);
      increase += std::max(0.0, values[k] - values[k - 1]);
    }
    ASSERT_NEAR(*slides.Value(WindowFunction::kAverage, now), sum / 59, 1e-9);
    ASSERT_EQ(*slides.Value(WindowFunction::kMin, now), min);
    ASSERT_NEAR(*slides.Value(WindowFunction::kRate, now), increase / 590,
                1e-5);
  }
}

TEST(SampleWindowTest, AFunctionThatIsNeededLaterBeginsAnew) {
  SampleWindow window(absl::Minutes(1));
  Cadence cadence;
  absl::Time now = kStart;
  const auto add = [&](int count) {
    for (int i = 0; i < count; ++i) {
      now += absl::Seconds(10);
      window.Add(now, i, cadence.Observe(now));
    }
  };
  add(20);
  EXPECT_TRUE(window.Value(WindowFunction::kAverage, now).has_value());
  window.Need(WindowFunction::kMax);
  EXPECT_FALSE(window.Value(WindowFunction::kMax, now).has_value());
  add(7);
  EXPECT_EQ(window.Value(WindowFunction::kMax, now), 6.0);
}

TEST(SampleWindowTest, HoldsWeeksOfSamplesInBoundedBuckets) {
  Fed fed(absl::Hours(7 * 24));
  double expected = 0;
  for (int i = 0; i < 8 * 1440; ++i) {
    fed.Add(i % 10, absl::Minutes(1));
    if (i >= 1440) expected += (i % 10) / (7.0 * 1440);
  }
  EXPECT_NEAR(*fed.Value(WindowFunction::kAverage), expected, 0.05);
}

TEST(CadenceTest, FollowsAChangedTickAndIgnoresAGap) {
  Cadence cadence;
  absl::Time now = kStart;
  for (int i = 0; i < 10; ++i) cadence.Observe(now += absl::Seconds(10));
  EXPECT_EQ(cadence.Observe(now += absl::Hours(8)), absl::Seconds(30));
  EXPECT_TRUE(cadence.after_gap());
  EXPECT_EQ(cadence.interval(), absl::Seconds(10));
  for (int i = 0; i < 40; ++i) cadence.Observe(now += absl::Seconds(1));
  EXPECT_LT(cadence.interval(), absl::Seconds(2));
  for (int i = 0; i < 6; ++i) cadence.Observe(now += absl::Seconds(60));
  EXPECT_GT(cadence.interval(), absl::Seconds(50));
}

TEST(CadenceTest, VanishedMeansTenOwnIntervalsAtLeastTenMinutes) {
  Cadence quick, slow;
  for (int i = 1; i <= 3; ++i) {
    quick.Observe(kStart + i * absl::Seconds(10));
    slow.Observe(kStart + i * absl::Hours(1));
  }
  EXPECT_FALSE(quick.Vanished(kStart + absl::Minutes(10)));
  EXPECT_TRUE(quick.Vanished(kStart + absl::Minutes(11)));
  EXPECT_FALSE(slow.Vanished(kStart + absl::Hours(12)));
  EXPECT_TRUE(slow.Vanished(kStart + absl::Hours(14)));
}

}  // namespace
}  // namespace forewarn::detect
