#include "agent/sources/network_source.h"

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

TEST(NetworkSourceTest, ReadsInterfacesAndProtocols) {
  const OverlayHostFiles files("debian-server");
  NetworkSource source(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(source.name(), "network");
  EXPECT_EQ(sink.Count("system.network.io"), 8);
  EXPECT_EQ(sink.Count("system.network.connection.count"), 5);
}

TEST(NetworkSourceTest, OneHalfsFailureDoesNotStopTheOther) {
  OverlayHostFiles files("debian-server");
  files.Remove("/proc/net/dev");
  NetworkSource source(files);
  RecordingSink sink("network");
  EXPECT_THAT(source.Sample(kNow, sink), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(sink.Count("system.network.connection.count"), 5);
}

}  // namespace
}  // namespace forewarn::agent
