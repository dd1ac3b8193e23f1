#include "agent/identity/renewer.h"

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/identity/enroller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/agent/identity/fake_collector_https.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::FakeClock;
using ::forewarn::testing::FakeCollectorHttps;
using ::forewarn::testing::TemporaryFolder;

constexpr absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class RenewerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    collector_.not_before = kStart;
    collector_.not_after = kStart + absl::Hours(7 * 24);
    FOREWARN_ASSERT_OK(Enroll(
        absl::StrCat("fwe1.", absl::WebSafeBase64Escape(absl::StrCat(
                                  "a-secret-of-twenty-bytes|",
                                  collector_.ca.pin(), "|https://a:8460"))),
        {}, collector_, store_));
    collector_.paths.clear();
  }
  // Lets `duration` pass as the thread would.
  void RunFor(absl::Duration duration) {
    const absl::Time end = clock_.Now() + duration;
    while (clock_.Now() < end) {
      clock_.Advance(std::min(renewer_.Turn(), end - clock_.Now()));
    }
  }

  const TemporaryFolder folder_;
  FakeCollectorHttps collector_;
  FakeClock clock_{kStart};
  KeyStore store_{base::Files::Posix(), folder_ / "state"};
  int renewed_ = 0;
  Renewer renewer_{clock_, collector_, store_, 1, [this] { ++renewed_; }};
};

TEST_F(RenewerTest, RenewsOnceAtHalfLife) {
  RunFor(0.44 * absl::Hours(7 * 24));
  EXPECT_EQ(collector_.paths.size(), 0u);
  collector_.not_before = kStart + absl::Hours(84);
  collector_.not_after = kStart + absl::Hours(84 + 7 * 24);
  RunFor(0.12 * absl::Hours(7 * 24));
  EXPECT_EQ(collector_.paths.size(), 1u);
  EXPECT_EQ(renewed_, 1);
}

TEST_F(RenewerTest, DoesNotComeAtTheSameMomentAsOthers) {
  std::vector<absl::Duration> moments;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    FakeClock clock(kStart);
    FakeCollectorHttps collector;
    collector.failure = absl::UnavailableError("away");
    Renewer renewer(clock, collector, store_, seed, {});
    while (collector.paths.empty()) clock.Advance(renewer.Turn());
    moments.push_back(clock.Now() - kStart);
  }
  std::sort(moments.begin(), moments.end());
  EXPECT_GT(moments.back() - moments.front(), absl::Hours(1));
}

TEST_F(RenewerTest, TriesOnWithPausesWhileTheCollectorIsAway) {
  collector_.failure = absl::UnavailableError("connect: refused");
  RunFor(absl::Hours(7 * 24));
  // Also after expiry, and not more often than every 20 s.
  EXPECT_GT(collector_.paths.size(), 50u);
  EXPECT_LT(collector_.paths.size(), 3000u);
  EXPECT_EQ(renewed_, 0);
  collector_.failure = absl::OkStatus();
  collector_.not_before = clock_.Now();
  collector_.not_after = clock_.Now() + absl::Hours(7 * 24);
  RunFor(absl::Hours(2));
  EXPECT_EQ(renewed_, 1);
}

TEST_F(RenewerTest, NoticesAMachineThatSleptPastExpiry) {
  renewer_.Turn();
  clock_.Sleep(absl::Hours(60 * 24));
  collector_.not_before = clock_.Now();
  collector_.not_after = clock_.Now() + absl::Hours(7 * 24);
  renewer_.Turn();
  EXPECT_EQ(renewed_, 1);
}

TEST_F(RenewerTest, WaitsWithoutAnEnrolment) {
  KeyStore empty(base::Files::Posix(), folder_ / "empty");
  Renewer renewer(clock_, collector_, empty, 1, {});
  EXPECT_GT(renewer.Turn(), absl::Minutes(1));
  EXPECT_TRUE(collector_.paths.empty());
}

}  // namespace
}  // namespace forewarn::agent
