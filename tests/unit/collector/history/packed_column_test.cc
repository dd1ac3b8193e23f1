#include "collector/history/packed_column.h"

#include <cmath>
#include <limits>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/wire/series.h"
#include "tests/support/status_matchers.h"

namespace forewarn::history {
namespace {

using ::forewarn::testing::IsOk;

// Packs, unpacks, compares bit for bit; returns the packed size.
size_t RoundTrip(const std::vector<double>& values, uint32_t digits) {
  std::string bytes;
  PackValues(values, digits, bytes);
  std::vector<double> back;
  EXPECT_THAT(UnpackValues(bytes, values.size(), digits, back), IsOk());
  EXPECT_EQ(back.size(), values.size());
  for (size_t i = 0; i < std::min(back.size(), values.size()); ++i) {
    EXPECT_EQ(std::signbit(back[i]), std::signbit(values[i]));
    if (!std::isnan(values[i])) {
      EXPECT_EQ(back[i], values[i]) << i;
    }
  }
  return bytes.size();
}

TEST(PackedColumnTest, AConstantCostsNextToNothing) {
  EXPECT_LT(RoundTrip(std::vector<double>(120, 8'253'112'320), 0), 20u);
}

TEST(PackedColumnTest, StepsOfAPageCostWhatTheirNumberCosts) {
  std::mt19937 random(1);
  std::vector<double> values = {1e9 * 4096};
  for (int i = 1; i < 120; ++i) {
    values.push_back(values.back() + 4096.0 * (random() % 9) - 4 * 4096);
  }
  EXPECT_LT(RoundTrip(values, 0), 120 * 0.7);
}

TEST(PackedColumnTest, TwoDecimalsCostAByte) {
  std::mt19937 random(2);
  std::vector<double> values;
  int64_t hundredths = 5000;
  for (int i = 0; i < 120; ++i) {
    hundredths += static_cast<int64_t>(random() % 201) - 100;
    values.push_back(static_cast<double>(hundredths) / 100);
  }
  EXPECT_LT(RoundTrip(values, 2), 120 * 1.15);
}

TEST(PackedColumnTest, ACounterAndItsResetComeBack) {
  std::mt19937 random(3);
  std::vector<double> values;
  double total = 1e15;
  for (int i = 0; i < 100; ++i) {
    total = i == 60 ? 0 : total + random() % 20000;
    values.push_back(total);
  }
  RoundTrip(values, 0);
}

TEST(PackedColumnTest, EveryDoubleComesBack) {
  std::mt19937_64 random(4);
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) {
    values.push_back(static_cast<double>(random() >> 11) / 9007199254740992.0);
  }
  EXPECT_LT(RoundTrip(values, wire::kAllBits), 100 * 7.1);
  RoundTrip({0.1, -0.2, 1e300, -1e-300, 0}, wire::kAllBits);
  RoundTrip({std::numeric_limits<double>::denorm_min(), 1}, wire::kAllBits);
  RoundTrip({std::numeric_limits<double>::infinity(), 1, -0.0}, 2);
  RoundTrip({std::nan(""), 5}, wire::kAllBits);
  RoundTrip({4.9e18, -4.9e18, 1}, 0);
  RoundTrip({0.125, 1e17, 3}, 2);
  RoundTrip({42}, 3);
  RoundTrip({0, 0, 0}, wire::kAllBits);
}

TEST(PackedColumnTest, AnyWidthComesBack) {
  std::mt19937_64 random(5);
  for (int width = 0; width <= 60; ++width) {
    for (const size_t count : {1, 2, 31, 32, 33, 64, 100}) {
      std::vector<int64_t> integers;
      for (size_t i = 0; i < count; ++i) {
        integers.push_back(
            static_cast<int64_t>(random() & ((uint64_t{1} << width) - 1)));
      }
      std::string bytes;
      PackIntegers(integers, bytes);
      std::vector<int64_t> back;
      absl::string_view rest = bytes;
      ASSERT_THAT(UnpackIntegers(rest, count, back), IsOk());
      EXPECT_EQ(back, integers);
      EXPECT_TRUE(rest.empty());
    }
  }
}

TEST(PackedColumnTest, DamageIsAnErrorOrOtherNumbersAndNeverACrash) {
  std::mt19937 random(6);
  std::vector<double> values;
  for (int i = 0; i < 80; ++i) values.push_back(random() % 100000);
  std::string good;
  PackValues(values, 2, good);
  for (int i = 0; i < 2000; ++i) {
    std::string bad = good;
    bad[random() % bad.size()] = static_cast<char>(random());
    if (i % 2 == 0) bad.resize(random() % bad.size());
    std::vector<double> back;
    if (UnpackValues(bad, 80, 2, back).ok()) {
      EXPECT_EQ(back.size(), 80u);
    }
  }
}

}  // namespace
}  // namespace forewarn::history
