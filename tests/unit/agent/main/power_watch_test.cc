#include "agent/main/power_watch.h"

#include <stdlib.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::agent {
namespace {

constexpr absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

TEST(PowerWatchTest, IsQuietWithoutASystemBus) {
  setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
  bool called = false;
  PowerWatch watch({.before_sleep = [&] { called = true; },
                    .after_sleep = [&] { called = true; }});
  watch.Start();
  EXPECT_FALSE(watch.listening());
  EXPECT_FALSE(watch.shutting_down());
  watch.Stop();
  watch.Stop();
  EXPECT_FALSE(called);
}

TEST(ShutdownIsDueTest, CountsAShutdownWithinTheNextMinute) {
  EXPECT_TRUE(ShutdownIsDue("USEC=1800000030000000\nMODE=poweroff\n", kNow));
  EXPECT_TRUE(ShutdownIsDue("MODE=reboot\nUSEC=1799999999000000", kNow));
  EXPECT_FALSE(ShutdownIsDue("USEC=1800000600000000\nMODE=poweroff\n", kNow));
}

TEST(ShutdownIsDueTest, TakesGarbageForNoShutdown) {
  EXPECT_FALSE(ShutdownIsDue("", kNow));
  EXPECT_FALSE(ShutdownIsDue("USEC=soon\n", kNow));
  EXPECT_FALSE(ShutdownIsDue("MODE=poweroff", kNow));
}

}  // namespace
}  // namespace forewarn::agent
