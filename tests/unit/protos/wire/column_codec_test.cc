#include "protos/wire/column_codec.h"

#include <cmath>
#include <limits>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/wire/series.h"
#include "tests/support/status_matchers.h"

namespace forewarn::wire {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;

std::vector<double> RoundTrip(const std::vector<double>& values,
                              uint32_t digits, size_t* bytes = nullptr) {
  std::string coded;
  ColumnState encoder;
  for (const double value : values) EncodeValue(value, digits, encoder, coded);
  if (bytes != nullptr) *bytes = coded.size();
  std::vector<double> back;
  ColumnState decoder;
  absl::string_view in = coded;
  for (size_t i = 0; i < values.size(); ++i) {
    double value = 0;
    EXPECT_THAT(DecodeValue(in, digits, decoder, value), IsOk());
    back.push_back(value);
  }
  EXPECT_TRUE(in.empty());
  return back;
}

TEST(ColumnCodecTest, KeepsDeclaredDigits) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(-1000, 1000);
  for (const uint32_t digits : {0u, 2u, 4u, 9u}) {
    std::vector<double> values;
    for (int i = 0; i < 1000; ++i) values.push_back(uniform(random));
    const std::vector<double> back = RoundTrip(values, digits);
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(back[i], Quantise(values[i], digits));
      EXPECT_NEAR(back[i], values[i], std::pow(10.0, -double(digits)));
    }
  }
}

TEST(ColumnCodecTest, KeepsEveryBitOfAFullEntropySeries) {
  std::mt19937_64 random(11);
  std::vector<double> values = {0.0, -0.0, 1e308, 5e-324, 0.1, 0.1};
  for (int i = 0; i < 1000; ++i) {
    values.push_back(std::ldexp(double(random()), int(random() % 200) - 100));
  }
  const std::vector<double> back = RoundTrip(values, kAllBits);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(std::signbit(back[i]), std::signbit(values[i]));
    EXPECT_EQ(back[i], values[i]);
  }
}

TEST(ColumnCodecTest, AValueThatStandsStillCostsOneByte) {
  size_t bytes = 0;
  RoundTrip(std::vector<double>(100, 123456.78), 2, &bytes);
  EXPECT_LE(bytes, 104u);
  RoundTrip(std::vector<double>(100, 123456.78), kAllBits, &bytes);
  EXPECT_LE(bytes, 110u);
}

TEST(ColumnCodecTest, ValuesBeyondTheIntegersSurvive) {
  const std::vector<double> values = {1e300, -1e300, 3.9e18, -3.9e18, 4e18, 1};
  EXPECT_EQ(RoundTrip(values, 0), values);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(RoundTrip({1, nan, 2}, 3)[1]));
  EXPECT_EQ(RoundTrip({1, nan, 2}, 3)[2], 2);
}

TEST(ColumnCodecTest, TruncatedBytesAreDataLoss) {
  std::string coded;
  ColumnState state;
  EncodeValue(1e300, 0, state, coded);
  for (size_t n = 0; n < coded.size(); ++n) {
    ColumnState decoder;
    absl::string_view in = absl::string_view(coded).substr(0, n);
    double value = 0;
    EXPECT_THAT(DecodeValue(in, 0, decoder, value),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(ColumnCodecTest, VarintLongerThan64BitsIsDataLoss) {
  const std::string bytes(11, '\xff');
  absl::string_view in = bytes;
  uint64_t value = 0;
  EXPECT_THAT(ReadVarint(in, value), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace forewarn::wire
