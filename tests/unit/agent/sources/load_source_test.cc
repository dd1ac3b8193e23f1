#include "agent/sources/load_source.h"

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

TEST(LoadSourceTest, ReadsLoadAlsoByCore) {
  const OverlayHostFiles files("debian-server");
  LoadSource source(files);
  RecordingSink sink("load");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.load_average.1m"), 1.2);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.load_average.5m"), 0.84);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.load_average.15m"), 0.4);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.load_per_core.1m"), 0.3);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.load_per_core.15m"), 0.1);
  EXPECT_EQ(sink.Value("forewarn.process.runnable"), 3);
  EXPECT_EQ(sink.Value("forewarn.process.blocked"), 1);
  EXPECT_EQ(sink.readings.size(), 7u);
}

TEST(LoadSourceTest, WithoutStatTheLoadStays) {
  OverlayHostFiles files("debian-server");
  files.Remove("/proc/stat");
  LoadSource source(files);
  RecordingSink sink("load");
  EXPECT_THAT(source.Sample(kNow, sink), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(sink.readings.size(), 3u);
}

TEST(LoadSourceTest, AMissingFileIsNothingToRead) {
  OverlayHostFiles files("debian-server");
  files.Remove("/proc/loadavg");
  LoadSource source(files);
  RecordingSink sink("load");
  EXPECT_THAT(source.Sample(kNow, sink), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(sink.Value("forewarn.process.runnable"), 3);
}

TEST(LoadSourceTest, AGarbledFileIsAFailure) {
  const OverlayHostFiles files("garbled");
  LoadSource source(files);
  RecordingSink sink("load");
  EXPECT_THAT(source.Sample(kNow, sink), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(sink.readings.empty());
}

}  // namespace
}  // namespace forewarn::agent
