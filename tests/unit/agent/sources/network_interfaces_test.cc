#include "agent/sources/network_interfaces.h"

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

const SampleTime kFirst{absl::FromUnixSeconds(1'800'000'000), absl::Hours(1)};
const SampleTime kSecond{kFirst.wall + absl::Seconds(10),
                         kFirst.since_boot + absl::Seconds(10)};

std::string Of(const std::string& metric, const std::string& name) {
  return absl::StrCat(metric, "{network.interface.name=", name, "}");
}
std::string Of(const std::string& metric, const std::string& name,
               const std::string& direction) {
  return absl::StrCat(metric, "{network.interface.name=", name,
                      ",network.io.direction=", direction, "}");
}

TEST(NetworkInterfacesTest, ReadsCountersOfHardwareAndBonds) {
  const OverlayHostFiles files("debian-server");
  NetworkInterfaces interfaces(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(interfaces.Sample(kFirst, sink));
  EXPECT_EQ(sink.Value(Of("system.network.io", "eno1", "receive")),
            39266024000);
  EXPECT_EQ(sink.Value(Of("system.network.io", "eno1", "transmit")),
            48329000000);
  EXPECT_EQ(sink.Value(Of("system.network.packet.count", "eno1", "transmit")),
            60005000);
  EXPECT_EQ(sink.Value(Of("system.network.errors", "eno1", "receive")), 100);
  EXPECT_EQ(sink.Value(Of("system.network.packet.dropped", "eno1", "transmit")),
            5);
  // eno1 to eno3 and bond0; not lo, VLAN, bridge, veth or ifb.
  EXPECT_EQ(sink.Count("system.network.io"), 8);
  EXPECT_EQ(sink.Count("forewarn.network.error.ratio"), 0);
  EXPECT_EQ(sink.Count("forewarn.network.utilization"), 0);
}

TEST(NetworkInterfacesTest, ReadsTheLink) {
  const OverlayHostFiles files("debian-server");
  NetworkInterfaces interfaces(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(interfaces.Sample(kFirst, sink));
  EXPECT_EQ(sink.Value(Of("forewarn.network.link.up", "eno1")), 1);
  EXPECT_EQ(sink.Value(Of("forewarn.network.link.up", "eno2")), 0);
  // eno3 was switched off by its administrator.
  EXPECT_FALSE(sink.Has(Of("forewarn.network.link.up", "eno3")));
  EXPECT_EQ(sink.Value(Of("forewarn.network.link.changes", "eno2")), 5);
  EXPECT_EQ(sink.Value(Of("forewarn.network.link.speed", "eno1")), 1e9);
  // The driver says -1.
  EXPECT_FALSE(sink.Has(Of("forewarn.network.link.speed", "eno2")));
}

TEST(NetworkInterfacesTest, CountsMembersOfABondThatAreDown) {
  const OverlayHostFiles files("debian-server");
  NetworkInterfaces interfaces(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(interfaces.Sample(kFirst, sink));
  EXPECT_EQ(sink.Value(Of("forewarn.network.bond.inactive", "bond0")), 1);
  EXPECT_EQ(sink.Count("forewarn.network.bond.inactive"), 1);
}

TEST(NetworkInterfacesTest, TellsRatiosSinceTheSampleBefore) {
  OverlayHostFiles files("debian-server");
  const auto dev = [](const std::string& numbers) {
    return "h\nh\n  eno1:" + numbers + "\n";
  };
  files.Write("/proc/net/dev", dev("0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"));
  NetworkInterfaces interfaces(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(interfaces.Sample(kFirst, sink));
  files.Write("/proc/net/dev",
              dev("125000000 1000 10 20 0 0 0 0 50 99 9 9 0 0 0 0"));
  sink.Clear();
  FOREWARN_ASSERT_OK(interfaces.Sample(kSecond, sink));
  EXPECT_DOUBLE_EQ(
      sink.Value(Of("forewarn.network.utilization", "eno1", "receive")), 0.1);
  EXPECT_DOUBLE_EQ(
      sink.Value(Of("forewarn.network.error.ratio", "eno1", "receive")), 0.01);
  EXPECT_DOUBLE_EQ(
      sink.Value(Of("forewarn.network.drop.ratio", "eno1", "receive")), 0.02);
  // 9.9 packets a second are too few to speak of a ratio.
  EXPECT_FALSE(
      sink.Has(Of("forewarn.network.error.ratio", "eno1", "transmit")));
}

TEST(NetworkInterfacesTest, ACounterResetGivesNoRatio) {
  OverlayHostFiles files("debian-server");
  NetworkInterfaces interfaces(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(interfaces.Sample(kFirst, sink));
  files.Write("/proc/net/dev",
              "h\nh\n eno1: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(interfaces.Sample(kSecond, sink));
  EXPECT_EQ(sink.Value(Of("system.network.io", "eno1", "receive")), 9);
  EXPECT_EQ(sink.Count("forewarn.network.utilization"), 0);
  EXPECT_EQ(sink.Count("forewarn.network.drop.ratio"), 0);
}

TEST(NetworkInterfacesTest, AsksForTheSpeedAgainWhenTheCarrierChanged) {
  OverlayHostFiles files("debian-server");
  NetworkInterfaces interfaces(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(interfaces.Sample(kFirst, sink));
  files.Write("/sys/class/net/eno1/speed", "100\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(interfaces.Sample(kSecond, sink));
  EXPECT_EQ(sink.Value(Of("forewarn.network.link.speed", "eno1")), 1e9);
  files.Write("/sys/class/net/eno1/carrier_changes", "4\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(interfaces.Sample(kSecond, sink));
  EXPECT_EQ(sink.Value(Of("forewarn.network.link.speed", "eno1")), 1e8);
}

TEST(NetworkInterfacesTest, ReadsWirelessQuality) {
  const OverlayHostFiles files("laptop");
  NetworkInterfaces interfaces(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(interfaces.Sample(kFirst, sink));
  EXPECT_DOUBLE_EQ(sink.Value(Of("forewarn.network.wifi.quality", "wlp2s0")),
                   0.6);
  EXPECT_EQ(sink.Value(Of("forewarn.network.link.up", "wlp2s0")), 1);
  EXPECT_EQ(sink.Value(Of("forewarn.network.link.up", "enp0s31f6")), 0);
  EXPECT_EQ(sink.Count("system.network.io"), 4);
}

TEST(NetworkInterfacesTest, AMissingFileIsNothingToRead) {
  OverlayHostFiles files("laptop");
  files.Remove("/proc/net/dev");
  NetworkInterfaces interfaces(files);
  RecordingSink sink("network");
  EXPECT_THAT(interfaces.Sample(kFirst, sink),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST(NetworkInterfacesTest, AGarbledLineDoesNotLoseTheRest) {
  OverlayHostFiles files("garbled");
  NetworkInterfaces interfaces(files);
  RecordingSink sink("network");
  FOREWARN_EXPECT_OK(interfaces.Sample(kFirst, sink));
  EXPECT_EQ(sink.Count("system.network.io"), 2);
  EXPECT_EQ(sink.Value(Of("system.network.io", "eth1", "transmit")), 200);
  EXPECT_EQ(sink.Count("forewarn.network.link.up"), 0);
  EXPECT_EQ(sink.Count("forewarn.network.wifi.quality"), 0);
  files.Write("/proc/net/dev", "h\nh\nrubbish\n");
  EXPECT_THAT(interfaces.Sample(kSecond, sink),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace forewarn::agent
