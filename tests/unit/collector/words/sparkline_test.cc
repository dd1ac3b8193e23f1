#include <cmath>
#include <string>
#include <vector>

#include "collector/words/visible.h"
#include "collector/words/words.h"
#include "gtest/gtest.h"

namespace forewarn::words {
namespace {

using Window = google::protobuf::RepeatedPtrField<v1::SamplePoint>;

void Add(Window& window, int64_t second, double value) {
  v1::SamplePoint* point = window.Add();
  point->mutable_time()->set_seconds(second);
  point->set_value(value);
}

Window Steady(const std::vector<double>& values) {
  Window window;
  int64_t second = 1'800'000'000;
  for (double value : values) Add(window, second += 10, value);
  return window;
}

TEST(SparklineTest, RisesWithItsValues) {
  EXPECT_EQ(Sparkline(Steady({0, 1, 2, 3, 4, 5, 6, 7})), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(Sparkline(Steady({7, 0})), "█▁");
}

TEST(SparklineTest, AConstantIsALineInTheMiddle) {
  EXPECT_EQ(Sparkline(Steady({5, 5, 5})), "▄▄▄");
  EXPECT_EQ(Sparkline(Steady({5})), "▄");
  EXPECT_EQ(Sparkline(Window()), "");
}

TEST(SparklineTest, ShowsGapsAsSpaces) {
  Window window;
  Add(window, 0, 0);
  Add(window, 10, 0);
  Add(window, 20, 0);
  Add(window, 60, 1);
  Add(window, 70, 1);
  EXPECT_EQ(Sparkline(window), "▁▁▁   ██");
}

TEST(SparklineTest, NeverWiderThanAsked) {
  std::vector<double> values;
  for (int i = 0; i < 600; ++i) values.push_back(i % 50);
  EXPECT_EQ(DisplayWidth(Sparkline(Steady(values), 40)), 40);
  EXPECT_EQ(Sparkline(Steady(values), 0), "");
}

TEST(SparklineTest, SurvivesHostileValues) {
  EXPECT_EQ(Sparkline(Steady({NAN, NAN})), "");
  EXPECT_EQ(Sparkline(Steady({0, 0, 0, NAN, 7})), "▁▁▁ █");
  EXPECT_EQ(Sparkline(Steady({-1.7e308, 1.7e308})), "▁█");
  Window same_time;
  Add(same_time, 5, 1);
  Add(same_time, 5, 2);
  EXPECT_EQ(DisplayWidth(Sparkline(same_time)), 2);
}

}  // namespace
}  // namespace forewarn::words
