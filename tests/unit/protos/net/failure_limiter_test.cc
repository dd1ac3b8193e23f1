#include "protos/net/failure_limiter.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace forewarn::net {
namespace {

constexpr absl::Duration kNow = absl::Hours(1);

FailureLimiter::Options Small() {
  return {.burst = 3, .forgive = absl::Seconds(10), .addresses = 4};
}

TEST(FailureLimiterTest, LetsWhoDoesNotFailGoOnForEver) {
  const FailureLimiter limiter(Small());
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(limiter.Wait("192.0.2.1", kNow), absl::ZeroDuration());
  }
}

TEST(FailureLimiterTest, MakesOneWaitWhoFailsTooOften) {
  FailureLimiter limiter(Small());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(limiter.Wait("192.0.2.1", kNow), absl::ZeroDuration());
    limiter.Failed("192.0.2.1", kNow);
  }
  EXPECT_EQ(limiter.Wait("192.0.2.1", kNow), absl::Seconds(10));
  EXPECT_EQ(limiter.Wait("192.0.2.2", kNow), absl::ZeroDuration());
  EXPECT_EQ(limiter.Wait("192.0.2.1", kNow + absl::Seconds(10)),
            absl::ZeroDuration());
}

TEST(FailureLimiterTest, CountsAnIpv6NetworkAsOne) {
  FailureLimiter limiter(Small());
  for (int i = 0; i < 3; ++i) {
    limiter.Failed(absl::StrCat("2001:db8:0:1::", i + 1), kNow);
  }
  EXPECT_GT(limiter.Wait("2001:db8:0:1:ffff::9", kNow), absl::ZeroDuration());
  EXPECT_EQ(limiter.Wait("2001:db8:0:2::1", kNow), absl::ZeroDuration());
}

TEST(FailureLimiterTest, ForgetsTheForgivenFirstWhenItIsFull) {
  FailureLimiter limiter(Small());
  limiter.Failed("192.0.2.1", kNow);
  const absl::Duration later = kNow + absl::Minutes(5);
  for (int i = 0; i < 3; ++i) limiter.Failed("192.0.2.2", later);
  for (int i = 3; i < 5; ++i)
    limiter.Failed(absl::StrCat("192.0.2.", i), later);
  limiter.Failed("192.0.2.9", later);
  EXPECT_GT(limiter.Wait("192.0.2.2", later), absl::ZeroDuration());
}

}  // namespace
}  // namespace forewarn::net
