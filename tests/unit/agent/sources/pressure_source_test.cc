#include "agent/sources/pressure_source.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/overlay_host_files.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::OverlayHostFiles;
using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;

const SampleTime kNow{absl::FromUnixSeconds(1'800'000'000), absl::Hours(1)};

std::string Series(const std::string& metric, const std::string& kind,
                   const std::string& resource) {
  return absl::StrCat(metric, "{forewarn.pressure.kind=", kind,
                      ",forewarn.pressure.resource=", resource, "}");
}

TEST(PressureSourceTest, ReadsSharesAndTotals) {
  const OverlayHostFiles files("debian-server");
  PressureSource source(files);
  RecordingSink sink("pressure");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.readings.size(), 18u);
  EXPECT_DOUBLE_EQ(sink.Value(Series("forewarn.pressure.share", "some", "io")),
                   0.125);
  EXPECT_DOUBLE_EQ(
      sink.Value(Series("forewarn.pressure.share.5m", "full", "io")), 0.0105);
  EXPECT_DOUBLE_EQ(
      sink.Value(Series("forewarn.pressure.stalled", "some", "cpu")),
      60.683431);
}

TEST(PressureSourceTest, KernelsWithoutItHaveNothingToRead) {
  OverlayHostFiles files("debian-server");
  files.Remove("/proc/pressure");
  PressureSource source(files);
  RecordingSink sink("pressure");
  EXPECT_THAT(source.Sample(kNow, sink), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(sink.readings.empty());
}

TEST(PressureSourceTest, AGarbledLineDoesNotLoseTheRest) {
  OverlayHostFiles files("garbled");
  files.Write("/proc/pressure/io",
              "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n");
  PressureSource source(files);
  RecordingSink sink("pressure");
  EXPECT_THAT(source.Sample(kNow, sink), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(sink.Has(Series("forewarn.pressure.share", "some", "cpu")));
  EXPECT_DOUBLE_EQ(sink.Value(Series("forewarn.pressure.share", "full", "cpu")),
                   0.01);
  EXPECT_DOUBLE_EQ(sink.Value(Series("forewarn.pressure.share", "some", "io")),
                   0.01);
  EXPECT_EQ(sink.readings.size(), 6u);
}

}  // namespace
}  // namespace forewarn::agent
