#include "agent/sources/network_protocols.h"

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

std::string Connections(const std::string& state,
                        const std::string& transport) {
  return absl::StrCat(
      "system.network.connection.count{"
      "network.connection.state=",
      state, ",network.transport=", transport, "}");
}
std::string Udp(const std::string& type) {
  return absl::StrCat("forewarn.network.udp.errors{forewarn.error.type=", type,
                      "}");
}

TEST(NetworkProtocolsTest, ReadsCounters) {
  const OverlayHostFiles files("debian-server");
  NetworkProtocols protocols(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(protocols.Sample(kFirst, sink));
  EXPECT_EQ(sink.Value("forewarn.network.tcp.segments.sent"), 48000000);
  EXPECT_EQ(sink.Value("forewarn.network.tcp.retransmits"), 48000);
  EXPECT_EQ(sink.Value("forewarn.network.tcp.attempt_fails"), 140);
  EXPECT_EQ(sink.Value("forewarn.network.tcp.resets.sent"), 900);
  EXPECT_EQ(sink.Value("forewarn.network.tcp.listen.overflows"), 7);
  EXPECT_EQ(sink.Value("forewarn.network.tcp.listen.drops"), 9);
  EXPECT_EQ(sink.Value(Udp("receive_buffer")), 41);
  EXPECT_EQ(sink.Value(Udp("send_buffer")), 2);
  EXPECT_EQ(sink.Value(Udp("no_port")), 120);
  EXPECT_EQ(sink.Value(Udp("checksum")), 0);
  EXPECT_FALSE(sink.Has("forewarn.network.tcp.retransmit.ratio"));
}

TEST(NetworkProtocolsTest, ReadsSocketsAndTheirLimits) {
  const OverlayHostFiles files("debian-server");
  NetworkProtocols protocols(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(protocols.Sample(kFirst, sink));
  EXPECT_EQ(sink.Value(Connections("established", "tcp")), 37);
  EXPECT_EQ(sink.Value(Connections("time_wait", "tcp")), 64);
  EXPECT_EQ(sink.Value(Connections("orphan", "tcp")), 2);
  EXPECT_EQ(sink.Value(Connections("allocated", "tcp")), 45);
  EXPECT_EQ(sink.Value(Connections("in_use", "udp")), 9);  // IPv4 and IPv6
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.network.tcp.memory.utilization"),
                   0.005);
  EXPECT_EQ(sink.Value("forewarn.network.conntrack.usage"), 6554);
  EXPECT_NEAR(sink.Value("forewarn.network.conntrack.utilization"), 0.1, 1e-4);
}

TEST(NetworkProtocolsTest, TellsRetransmitsSinceTheSampleBefore) {
  OverlayHostFiles files("debian-server");
  const auto snmp = [](int sent, int resent) {
    return absl::StrCat("Tcp: OutSegs RetransSegs\nTcp: ", sent, " ", resent,
                        "\n");
  };
  files.Write("/proc/net/snmp", snmp(1000, 10));
  NetworkProtocols protocols(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(protocols.Sample(kFirst, sink));
  files.Write("/proc/net/snmp", snmp(2000, 60));
  sink.Clear();
  FOREWARN_ASSERT_OK(protocols.Sample(kSecond, sink));
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.network.tcp.retransmit.ratio"), 0.05);
  // Too few segments to speak of a ratio.
  files.Write("/proc/net/snmp", snmp(2099, 100));
  const SampleTime third{kSecond.wall, kSecond.since_boot + absl::Seconds(10)};
  sink.Clear();
  FOREWARN_ASSERT_OK(protocols.Sample(third, sink));
  EXPECT_FALSE(sink.Has("forewarn.network.tcp.retransmit.ratio"));
  // A reset.
  files.Write("/proc/net/snmp", snmp(5, 0));
  sink.Clear();
  FOREWARN_ASSERT_OK(protocols.Sample(
      {third.wall, third.since_boot + absl::Seconds(10)}, sink));
  EXPECT_FALSE(sink.Has("forewarn.network.tcp.retransmit.ratio"));
}

TEST(NetworkProtocolsTest, WithoutConnectionTrackingTheRestStays) {
  const OverlayHostFiles files("laptop");
  NetworkProtocols protocols(files);
  RecordingSink sink("network");
  FOREWARN_ASSERT_OK(protocols.Sample(kFirst, sink));
  EXPECT_FALSE(sink.Has("forewarn.network.conntrack.usage"));
  EXPECT_EQ(sink.Value(Connections("in_use", "udp")), 9);
}

TEST(NetworkProtocolsTest, AMissingFileLeavesTheRest) {
  OverlayHostFiles files("debian-server");
  files.Remove("/proc/net/snmp");
  NetworkProtocols protocols(files);
  RecordingSink sink("network");
  EXPECT_THAT(protocols.Sample(kFirst, sink),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(sink.Value("forewarn.network.tcp.listen.drops"), 9);
  EXPECT_EQ(sink.Value(Connections("orphan", "tcp")), 2);
}

TEST(NetworkProtocolsTest, GarbledNumbersDoNotLoseTheRest) {
  const OverlayHostFiles files("garbled");
  NetworkProtocols protocols(files);
  RecordingSink sink("network");
  EXPECT_THAT(protocols.Sample(kFirst, sink),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(sink.Value("forewarn.network.tcp.segments.sent"), 100);
  EXPECT_EQ(sink.Value(Udp("no_port")), 4);
  EXPECT_EQ(sink.readings.size(), 2u);
}

}  // namespace
}  // namespace forewarn::agent
