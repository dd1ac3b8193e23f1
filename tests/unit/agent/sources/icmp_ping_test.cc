#include "agent/sources/icmp_ping.h"

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

// Where the system permits no ICMP socket, that must be what is said.
bool IsPermitted() {
  return !absl::IsUnimplemented(
      Ping(net::ParseAddress("127.0.0.1", 0).value(), absl::Seconds(10)).status());
}

TEST(IcmpPingTest, TheOwnMachineAnswers) {
  if (!IsPermitted()) GTEST_SKIP() << "no ICMP sockets here";
  const auto round_trip =
      Ping(net::ParseAddress("127.0.0.1", 0).value(), absl::Seconds(10));
  FOREWARN_ASSERT_OK(round_trip);
  EXPECT_GT(*round_trip, absl::ZeroDuration());
  EXPECT_LT(*round_trip, absl::Seconds(10));
}

TEST(IcmpPingTest, TheOwnMachineAnswersOverIpv6) {
  if (!IsPermitted()) GTEST_SKIP() << "no ICMP sockets here";
  const auto round_trip =
      Ping(net::ParseAddress("::1", 0).value(), absl::Seconds(10));
  if (absl::IsUnimplemented(round_trip.status()) ||
      absl::IsUnavailable(round_trip.status())) {
    GTEST_SKIP() << "no IPv6 here: " << round_trip.status();
  }
  FOREWARN_EXPECT_OK(round_trip);
}

TEST(IcmpPingTest, SilenceIsNoAnswer) {
  if (!IsPermitted()) GTEST_SKIP() << "no ICMP sockets here";
  // Of TEST-NET-3, which nobody has.
  const auto round_trip =
      Ping(net::ParseAddress("203.0.113.1", 0).value(), absl::Milliseconds(20));
  EXPECT_FALSE(round_trip.ok());
  EXPECT_TRUE(absl::IsDeadlineExceeded(round_trip.status()) ||
              absl::IsUnavailable(round_trip.status()))
      << round_trip.status();
}

}  // namespace
}  // namespace forewarn::agent
