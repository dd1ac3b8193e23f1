#include <cmath>
#include <limits>

#include "collector/words/words.h"
#include "gtest/gtest.h"

namespace forewarn::words {
namespace {

TEST(QuantityTest, BytesAreBinary) {
  EXPECT_EQ(ShowQuantity(0, "By"), "0 B");
  EXPECT_EQ(ShowQuantity(512, "By"), "512 B");
  EXPECT_EQ(ShowQuantity(1024, "By"), "1 KiB");
  EXPECT_EQ(ShowQuantity(1.4 * 1073741824, "By"), "1.4 GiB");
  EXPECT_EQ(ShowQuantity(12.5 * 1048576, "By/s"), "12.5 MiB/s");
  EXPECT_EQ(ShowQuantity(-2048, "By"), "-2 KiB");
}

TEST(QuantityTest, NeverShowsAFullStepOfTheSmallerUnit) {
  EXPECT_EQ(ShowQuantity(1023.7 * 1024, "By"), "1 MiB");
  EXPECT_EQ(ShowQuantity(999.9, "bit/s"), "1 kbit/s");
}

TEST(QuantityTest, RatiosArePercent) {
  EXPECT_EQ(ShowQuantity(0, "1"), "0 %");
  EXPECT_EQ(ShowQuantity(0.85, "1"), "85 %");
  EXPECT_EQ(ShowQuantity(0.8534, "1"), "85.3 %");
  EXPECT_EQ(ShowQuantity(1, "1"), "100 %");
  EXPECT_EQ(ShowQuantity(0.0004, "1"), "0.04 %");
  EXPECT_EQ(ShowQuantity(2.3, "1"), "230 %");
  EXPECT_EQ(ShowQuantity(42, "1"), "42");
}

TEST(QuantityTest, NearlyFullIsNotFull) {
  EXPECT_EQ(ShowQuantity(0.9999, "1"), "over 99.9 %");
}

TEST(QuantityTest, SecondsTakeTheUnitThatFits) {
  EXPECT_EQ(ShowQuantity(0.0031, "s"), "3.1 ms");
  EXPECT_EQ(ShowQuantity(4e-6, "s"), "4 µs");
  EXPECT_EQ(ShowQuantity(2.5e-8, "s"), "25 ns");
  EXPECT_EQ(ShowQuantity(17, "s"), "17 s");
  EXPECT_EQ(ShowQuantity(150, "s"), "2 min 30 s");
  EXPECT_EQ(ShowQuantity(1500, "ms"), "1.5 s");
}

TEST(QuantityTest, CountedThingsTakeTheirPlural) {
  EXPECT_EQ(ShowQuantity(1, "{process}"), "1 process");
  EXPECT_EQ(ShowQuantity(17, "{process}"), "17 processes");
  EXPECT_EQ(ShowQuantity(12345, "{packet}/s"), "12,345 packets/s");
  EXPECT_EQ(ShowQuantity(2, "{retry}"), "2 retries");
  EXPECT_EQ(ShowQuantity(3, "{series}"), "3 series");
  EXPECT_EQ(ShowQuantity(3, "{key}"), "3 keys");
}

TEST(QuantityTest, OtherUnits) {
  EXPECT_EQ(ShowQuantity(12, "Cel"), "12 °C");
  EXPECT_EQ(ShowQuantity(1200, "rpm"), "1200 rpm");
  EXPECT_EQ(ShowQuantity(2.4e9, "Hz"), "2.4 GHz");
  EXPECT_EQ(ShowQuantity(1e9, "bit/s"), "1 Gbit/s");
  EXPECT_EQ(ShowQuantity(17, "1/s"), "17 /s");
  EXPECT_EQ(ShowQuantity(3, ""), "3");
  EXPECT_EQ(ShowQuantity(3, "\x1b[2J"), "3 \\x1b[2J");
  EXPECT_EQ(ShowQuantity(3, "{open"), "3 {open");
}

TEST(QuantityTest, SurvivesNumbersThatAreNone) {
  EXPECT_EQ(ShowQuantity(NAN, "By"), "unknown");
  EXPECT_EQ(ShowQuantity(INFINITY, "1"), "unlimited");
  EXPECT_EQ(ShowQuantity(std::numeric_limits<double>::max(), "{file}"),
            "1.8e+308 files");
  EXPECT_EQ(ShowQuantity(1e300, "s"), "no end");
}

TEST(DurationTest, HasAtMostTwoParts) {
  EXPECT_EQ(ShowDuration(absl::ZeroDuration()), "0 s");
  EXPECT_EQ(ShowDuration(absl::Milliseconds(350)), "350 ms");
  EXPECT_EQ(ShowDuration(absl::Seconds(59)), "59 s");
  EXPECT_EQ(ShowDuration(absl::Minutes(3)), "3 min");
  EXPECT_EQ(ShowDuration(absl::Seconds(150)), "2 min 30 s");
  EXPECT_EQ(ShowDuration(absl::Seconds(754)), "12 min");
  EXPECT_EQ(ShowDuration(absl::Minutes(130)), "2 h 10 min");
  EXPECT_EQ(ShowDuration(absl::Hours(96)), "4 d");
  EXPECT_EQ(ShowDuration(absl::Hours(100)), "4 d 4 h");
  EXPECT_EQ(ShowDuration(absl::Hours(24 * 45 + 3)), "45 d");
  EXPECT_EQ(ShowDuration(-absl::Minutes(3)), "-3 min");
  EXPECT_EQ(ShowDuration(absl::InfiniteDuration()), "no end");
}

TEST(TimeTest, IsUtcAndSaysSo) {
  EXPECT_EQ(ShowTime(absl::FromUnixSeconds(1795321629)),
            "2026-11-22 04:27:09 UTC");
  EXPECT_EQ(ShowTime(absl::InfiniteFuture()), "unknown");
}

}  // namespace
}  // namespace forewarn::words
