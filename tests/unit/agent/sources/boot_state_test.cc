#include "agent/sources/boot_state.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;

TEST(BootStateTest, ReadsWhatItWrote) {
  BootState state;
  state.boot_id = "abc-1";
  state.boots = 7;
  state.unexpected = true;
  state.reboot_required_since = 1'800'000'000;
  state.checksums = {{"host_name", "00ff"}, {"os_version", "11aa"}};
  state.changes = {{"host_name", 3}};
  const auto read = ParseBootState(FormatBootState(state));
  FOREWARN_ASSERT_OK(read);
  EXPECT_TRUE(*read == state);
}

TEST(BootStateTest, SkipsKeysItDoesNotKnow) {
  const auto read = ParseBootState(
      "forewarn-boot-state 1\nboot_id a\nlater x y z\n\nboots 2\n");
  FOREWARN_ASSERT_OK(read);
  EXPECT_EQ(read->boots, 2u);
}

TEST(BootStateTest, RefusesWhatMakesNoSense) {
  for (const char* bad :
       {"", "garbage", "forewarn-boot-state 2\nboot_id a\n",
        "forewarn-boot-state 1\n", "forewarn-boot-state 1\nboots 1\n",
        "forewarn-boot-state 1\nboot_id a\nboots many\n",
        "forewarn-boot-state 1\nboot_id a\nchanges host_name\n"}) {
    EXPECT_THAT(ParseBootState(bad), StatusIs(absl::StatusCode::kDataLoss))
        << bad;
  }
}

}  // namespace
}  // namespace forewarn::agent
