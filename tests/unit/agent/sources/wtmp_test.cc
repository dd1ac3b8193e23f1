#include "agent/sources/wtmp.h"

#include <utmp.h>

#include <cstring>
#include <string>

#include "gtest/gtest.h"

namespace forewarn::agent {
namespace {

std::string Record(short type, const char* user, int seconds = 0) {
  utmp record{};
  record.ut_type = type;
  std::memcpy(record.ut_user, user, std::strlen(user));
  record.ut_tv.tv_sec = seconds;
  return std::string(reinterpret_cast<const char*>(&record), sizeof(record));
}

const std::string kBoot = Record(BOOT_TIME, "reboot", 1'800'000'000);
const std::string kShutdown = Record(RUN_LVL, "shutdown");
const std::string kRunlevel = Record(RUN_LVL, "runlevel");
const std::string kLogin = Record(USER_PROCESS, "alex");
const std::string kLogout = Record(DEAD_PROCESS, "");

TEST(WtmpTest, AShutdownBeforeTheBootIsOrderly) {
  const auto boot = LastNotedBoot(kBoot + kRunlevel + kLogin + kLogout +
                                  kShutdown + kBoot + kRunlevel + kLogin);
  ASSERT_TRUE(boot.has_value());
  EXPECT_TRUE(boot->orderly);
  EXPECT_EQ(boot->time, absl::FromUnixSeconds(1'800'000'000));
}

TEST(WtmpTest, SessionsMayEndAfterTheShutdownBegan) {
  const auto boot = LastNotedBoot(kShutdown + kLogout + kBoot);
  ASSERT_TRUE(boot.has_value());
  EXPECT_TRUE(boot->orderly);
}

TEST(WtmpTest, AnythingElseBeforeTheBootIsNot) {
  for (const std::string& before : {kLogin, kRunlevel, kBoot}) {
    const auto boot = LastNotedBoot(kShutdown + before + kBoot + kRunlevel);
    ASSERT_TRUE(boot.has_value());
    EXPECT_FALSE(boot->orderly);
  }
}

TEST(WtmpTest, WithoutARecordBeforeTheBootNothingIsKnown) {
  EXPECT_FALSE(LastNotedBoot("").has_value());
  EXPECT_FALSE(LastNotedBoot("short").has_value());
  EXPECT_FALSE(LastNotedBoot(kBoot).has_value());
  EXPECT_FALSE(LastNotedBoot(kBoot + kLogin).has_value());
  EXPECT_FALSE(LastNotedBoot(kLogin + kLogout).has_value());
}

TEST(WtmpTest, ATornLastRecordIsSkipped) {
  const auto boot = LastNotedBoot(kShutdown + kBoot + kLogin.substr(0, 99));
  ASSERT_TRUE(boot.has_value());
  EXPECT_TRUE(boot->orderly);
}

}  // namespace
}  // namespace forewarn::agent
