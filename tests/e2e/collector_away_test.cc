// The collector goes and comes back; nothing measured meanwhile is lost.

#include <signal.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "tests/e2e/installation.h"
#include "tests/support/wait_until.h"

namespace forewarn::e2e {
namespace {

using ::forewarn::testing::WaitUntil;

TEST(CollectorAwayTest, SamplesFromTheTimeAwayArriveInOrderAndOnce) {
  Installation installation;
  ASSERT_NO_FATAL_FAILURE(installation.StartAll());
  installation.collector().Signal(SIGKILL);
  installation.collector().Wait();
  const absl::Time away = absl::Now();
  // The agent goes on measuring; what passes here is its tick, not a guess.
  ASSERT_TRUE(WaitUntil([&] { return absl::Now() > away + absl::Seconds(6); }));
  // Killed while it holds a spool: what it wrote survives.
  ASSERT_NO_FATAL_FAILURE(installation.StartCollector());
  const absl::Time back = absl::Now();

  std::vector<absl::Time> times;
  const auto complete = [&] {
    times = installation.SampleTimes("system.uptime");
    if (times.empty() || times.back() < back) return false;
    for (size_t i = 1; i < times.size(); ++i) {
      if (times[i] - times[i - 1] > absl::Milliseconds(2500)) return false;
    }
    return true;
  };
  EXPECT_TRUE(WaitUntil(complete, absl::Seconds(90))) << installation.Logs();
  for (size_t i = 1; i < times.size(); ++i) {
    EXPECT_LT(times[i - 1], times[i]);
  }
}

}  // namespace
}  // namespace forewarn::e2e
