#include "agent/sources/gateway_source.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;

constexpr char kHeader[] =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\t"
    "Window\tIRTT\n";

std::string GatewayText(absl::string_view v4, absl::string_view v6) {
  const auto gateway = DefaultGateway(v4, v6);
  return gateway.has_value() ? net::ToText(*gateway) : "none";
}

TEST(DefaultGatewayTest, HasTheLowestMetric) {
  EXPECT_EQ(
      GatewayText(
          absl::StrCat(kHeader,
                       "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\n"
                       "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\n"
                       "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n"),
          ""),
      "192.0.2.1");
}

TEST(DefaultGatewayTest, IsOfIpv6WithoutOneOfIpv4) {
  EXPECT_EQ(
      GatewayText(kHeader,
                  "20010db8000000000000000000000000 40 "
                  "00000000000000000000000000000000 00 "
                  "00000000000000000000000000000000 00000100 00000001 00000000 "
                  "00000001     eth0\n"
                  "00000000000000000000000000000000 00 "
                  "00000000000000000000000000000000 00 "
                  "20010db8000000000000000000000001 00000400 00000001 00000000 "
                  "00000003     eth0\n"
                  "00000000000000000000000000000000 00 "
                  "00000000000000000000000000000000 00 "
                  "00000000000000000000000000000000 ffffffff 00000001 00000000 "
                  "00200200       lo\n"),
      "2001:db8::1");
}

TEST(DefaultGatewayTest, GarbledRoutesGiveNone) {
  EXPECT_EQ(GatewayText("", ""), "none");
  EXPECT_EQ(GatewayText("eth0 zz zz zz 0 0 0 zz\neth0\n\n\n",
                        "00 00 00 00 20 0 0 0 3 eth0\nx\n"),
            "none");
  // Down, or not by a gateway.
  EXPECT_EQ(GatewayText("eth0\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\n"
                        "eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\n",
                        ""),
            "none");
}

class GatewaySourceTest : public ::testing::Test {
 protected:
  GatewaySourceTest() { Route("010200C0"); }

  void Route(const std::string& gateway) {
    folder_.Write("proc/net/route",
                  absl::StrCat(kHeader, "eth0\t00000000\t", gateway,
                               "\t0003\t0\t0\t0\t00000000\n"));
  }
  absl::Status Sample(int seconds, absl::StatusOr<absl::Duration> answer) {
    answer_ = std::move(answer);
    sink_.Clear();
    return source_.Sample(
        {absl::FromUnixSeconds(seconds), absl::Seconds(seconds)}, sink_);
  }
  double Value(const std::string& metric) {
    return sink_.Value(metric + "{server.address=192.0.2.1}");
  }

  TemporaryFolder folder_;
  HostFiles files_{folder_.path()};
  absl::StatusOr<absl::Duration> answer_;
  std::string asked_;
  GatewaySource source_{files_,
                        [this](const net::SocketAddress& address, absl::Duration) {
                          asked_ = net::ToText(address);
                          return answer_;
                        }};
  RecordingSink sink_{"gateway"};
};

const absl::Status kNoAnswer = absl::DeadlineExceededError("no answer");

TEST_F(GatewaySourceTest, ReadsRoundTripAndLossOfThirtySeconds) {
  FOREWARN_ASSERT_OK(Sample(100, absl::Milliseconds(2)));
  EXPECT_EQ(asked_, "192.0.2.1");
  EXPECT_EQ(Value("forewarn.gateway.reachable"), 1);
  EXPECT_EQ(Value("forewarn.gateway.loss"), 0);
  EXPECT_DOUBLE_EQ(Value("forewarn.gateway.rtt"), 0.002);

  FOREWARN_ASSERT_OK(Sample(110, kNoAnswer));
  EXPECT_EQ(Value("forewarn.gateway.reachable"), 0);
  EXPECT_DOUBLE_EQ(Value("forewarn.gateway.loss"), 0.5);
  EXPECT_EQ(sink_.Count("forewarn.gateway.rtt"), 0);

  FOREWARN_ASSERT_OK(Sample(120, kNoAnswer));
  EXPECT_DOUBLE_EQ(Value("forewarn.gateway.loss"), 2.0 / 3);
  FOREWARN_ASSERT_OK(Sample(130, kNoAnswer));
  EXPECT_DOUBLE_EQ(Value("forewarn.gateway.loss"), 1);
  FOREWARN_ASSERT_OK(Sample(160, absl::Milliseconds(1)));
  EXPECT_DOUBLE_EQ(Value("forewarn.gateway.loss"), 0);
}

TEST_F(GatewaySourceTest, OneThatNeverAnsweredIsNoTrouble) {
  FOREWARN_ASSERT_OK(Sample(100, kNoAnswer));
  FOREWARN_ASSERT_OK(Sample(110, kNoAnswer));
  EXPECT_TRUE(sink_.readings.empty());
}

TEST_F(GatewaySourceTest, AnotherGatewayStartsAfresh) {
  FOREWARN_ASSERT_OK(Sample(100, absl::Milliseconds(2)));
  Route("FE0200C0");
  FOREWARN_ASSERT_OK(Sample(110, kNoAnswer));
  EXPECT_EQ(asked_, "192.0.2.254");
  EXPECT_TRUE(sink_.readings.empty());
}

TEST_F(GatewaySourceTest, WithoutGatewayOrPermissionItIsQuiet) {
  EXPECT_THAT(Sample(100, absl::UnimplementedError("not permitted")),
              StatusIs(absl::StatusCode::kUnimplemented));
  folder_.Write("proc/net/route", kHeader);
  EXPECT_THAT(Sample(110, absl::Milliseconds(2)),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(sink_.readings.empty());
}

}  // namespace
}  // namespace forewarn::agent
