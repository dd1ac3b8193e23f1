#include "agent/sampler/thrift.h"

#include "gtest/gtest.h"

namespace forewarn::agent {
namespace {

class ThriftTest : public ::testing::Test {
 protected:
  // `hours` at so many cores.
  uint32_t After(double minutes, double cores, bool on_battery = false) {
    uint32_t stretch = 0;
    for (int i = 0; i < minutes * 6; ++i) {
      now_ += absl::Seconds(10);
      cpu_ += absl::Seconds(10) * cores;
      stretch = thrift_.Stretch(now_, cpu_, on_battery);
    }
    return stretch;
  }

  Thrift thrift_{Thrift::Options{}};
  absl::Duration now_ = absl::Hours(5);
  absl::Duration cpu_ = absl::Seconds(3);
};

TEST_F(ThriftTest, WithinItsBudgetNothingChanges) {
  EXPECT_EQ(After(60, 0.001), 1u);
  EXPECT_FALSE(thrift_.over_budget());
  EXPECT_NEAR(thrift_.cpu_share(), 0.001, 1e-4);
}

TEST_F(ThriftTest, P7OverItsBudgetItShedsAndComesBackWhenItIsWellWithin) {
  EXPECT_EQ(After(11, 0.02), 2u);
  EXPECT_TRUE(thrift_.over_budget());
  EXPECT_EQ(After(60, 0.02), 12u);   // and no more
  EXPECT_EQ(After(20, 0.004), 12u);  // near it: stays
  EXPECT_EQ(After(60, 0.001), 1u);
}

TEST_F(ThriftTest, OneBusyMinuteIsNoReason) {
  After(1, 0.03);
  EXPECT_EQ(After(30, 0.0005), 1u);
}

TEST_F(ThriftTest, OnBatteryTheTickIsLongerAtOnceAndShortAgainAtOnce) {
  EXPECT_EQ(After(1, 0.001, true), 3u);
  EXPECT_EQ(After(1, 0.001, false), 1u);
}

}  // namespace
}  // namespace forewarn::agent
