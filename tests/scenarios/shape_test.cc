#include "tests/scenarios/shape.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::scenarios {
namespace {

Shape Parsed(absl::string_view text) {
  absl::StatusOr<Shape> shape = Shape::Parse(text);
  EXPECT_TRUE(shape.ok()) << shape.status();
  return shape.ok() ? *std::move(shape) : Shape();
}

TEST(ShapeTest, StepsFollowEachOther) {
  const Shape shape = Parsed("hold 1 10min, ramp 3 10min, hold 5");
  EXPECT_EQ(shape.length(), absl::Minutes(20));
  EXPECT_EQ(shape.At(absl::ZeroDuration()), 1);
  EXPECT_EQ(shape.At(absl::Minutes(9)), 1);
  EXPECT_EQ(shape.At(absl::Minutes(15)), 2);
  EXPECT_EQ(shape.At(absl::Hours(5)), 5);
}

TEST(ShapeTest, CountersGrowJumpAndRestart) {
  const Shape shape =
      Parsed("from 100, rate 0.5 10s, add 7, hold 112 10s, reset, rate 1 10s");
  EXPECT_EQ(shape.At(absl::Seconds(4)), 102);
  EXPECT_EQ(shape.At(absl::Seconds(12)), 112);
  EXPECT_EQ(shape.At(absl::Seconds(23)), 3);
}

TEST(ShapeTest, GapsHaveNoValue) {
  const Shape shape = Parsed("hold 1 1min, gap 1min, hold 1 1min");
  EXPECT_EQ(shape.At(absl::Seconds(90)), std::nullopt);
  EXPECT_EQ(shape.At(absl::Seconds(150)), 1);
}

TEST(ShapeTest, SawAndWaveRepeat) {
  const Shape saw = Parsed("saw 0 10 10s 100s");
  EXPECT_EQ(saw.At(absl::Seconds(5)), 5);
  EXPECT_EQ(saw.At(absl::Seconds(95)), 5);
  const Shape wave = Parsed("wave 5 2 4h 1d");
  EXPECT_NEAR(*wave.At(absl::Hours(1)), 7, 1e-9);
  EXPECT_NEAR(*wave.At(absl::Hours(23)), 3, 1e-9);
}

TEST(ShapeTest, NoiseIsBoundedAndRepeatable) {
  const Shape shape = Parsed("noise 0.1, hold 1 1h");
  bool differs = false;
  for (int i = 0; i < 60; ++i) {
    const double value = *shape.At(absl::Minutes(i));
    EXPECT_NEAR(value, 1, 0.1);
    EXPECT_EQ(value, shape.At(absl::Minutes(i)));
    differs |= value != 1;
  }
  EXPECT_TRUE(differs);
}

TEST(ShapeTest, RefusesWhatItDoesNotKnow) {
  for (const char* text :
       {"", "hold", "hold x 1min", "hold 1 1", "hold 1 1week", "ramp 2",
        "jump 3 1min", "hold 1, hold 2 1min", "saw 0 1 0s 1h", "from 3",
        "hold 1 0s", "noise", "gap 1min 2min"}) {
    EXPECT_FALSE(Shape::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace forewarn::scenarios
