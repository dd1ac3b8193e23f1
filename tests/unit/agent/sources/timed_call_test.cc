#include "agent/sources/timed_call.h"

#include <future>
#include <memory>
#include <optional>

#include "gtest/gtest.h"

namespace forewarn::agent {
namespace {

TEST(TimedCallTest, GivesTheResultOnce) {
  TimedCall<int> call;
  EXPECT_EQ(call.Wait(absl::ZeroDuration()), std::nullopt);
  ASSERT_TRUE(call.Start([] { return 7; }));
  EXPECT_EQ(call.Wait(absl::Seconds(60)), 7);
  EXPECT_EQ(call.Wait(absl::Seconds(60)), std::nullopt);
  ASSERT_TRUE(call.Start([] { return 8; }));
  EXPECT_EQ(call.Wait(absl::Seconds(60)), 8);
}

TEST(TimedCallTest, DoesNotStartAnotherWhileOneHangs) {
  auto release = std::make_shared<std::promise<void>>();
  TimedCall<int> call;
  ASSERT_TRUE(call.Start([release] {
    release->get_future().wait();
    return 1;
  }));
  EXPECT_EQ(call.Wait(absl::Milliseconds(1)), std::nullopt);
  EXPECT_FALSE(call.Start([] { return 2; }));
  release->set_value();
  EXPECT_EQ(call.Wait(absl::Seconds(60)), 1);
}

TEST(TimedCallTest, SignalOfABrokenPipeIsBlockedInTheCall) {
  TimedCall<bool> call;
  ASSERT_TRUE(call.Start([] {
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    return sigismember(&blocked, SIGPIPE) == 1;
  }));
  EXPECT_EQ(call.Wait(absl::Seconds(60)), true);
}

}  // namespace
}  // namespace forewarn::agent
