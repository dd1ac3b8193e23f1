#include "agent/sources/update_source.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;

TEST(DpkgLogTest, TellsInstallUpgradeAndRemove) {
  auto change = ParseDpkgLine(
      "2024-05-03 10:12:31 upgrade libssl3:amd64 3.0.11-1 3.0.13-1");
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->action, "upgrade");
  EXPECT_EQ(change->package, "libssl3");
  EXPECT_EQ(change->version, "3.0.13-1");
  change = ParseDpkgLine("2024-05-03 10:12:31 install jq:amd64 <none> 1.6-2.1");
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->version, "1.6-2.1");
  change = ParseDpkgLine("2024-05-03 10:12:31 remove jq:amd64 1.6-2.1 <none>");
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->version, "1.6-2.1");
  for (const char* line :
       {"", "2024-05-03 10:12:31 startup archives unpack",
        "2024-05-03 10:12:31 status installed jq:amd64 1.6-2.1",
        "2024-05-03 10:12:31 configure jq:amd64 1.6-2.1 <none>",
        "2024-05-03 10:12:31 purge jq:amd64 1.6-2.1 <none>",
        "2024-05-03 10:12:31 trigproc libc-bin:amd64 2.36 <none>",
        "2024-05-03 10:12:31 upgrade libssl3:amd64"}) {
    EXPECT_FALSE(ParseDpkgLine(line).has_value()) << line;
  }
}

TEST(UpdatesAvailableTest, CountsAllAndSecurity) {
  auto waiting = ParseUpdatesAvailable(
      "\nExpanded Security Maintenance for Applications is not enabled.\n\n"
      "12 updates can be applied immediately.\n"
      "5 of these updates are standard security updates.\n"
      "To see these additional updates run: apt list --upgradable\n\n"
      "3 additional security updates can be applied with ESM Apps.\n");
  ASSERT_TRUE(waiting.has_value());
  EXPECT_EQ(waiting->all, 12);
  EXPECT_EQ(waiting->security, 5);
  waiting = ParseUpdatesAvailable("0 updates can be applied immediately.\n");
  ASSERT_TRUE(waiting.has_value());
  EXPECT_EQ(waiting->all, 0);
  EXPECT_EQ(waiting->security, 0);
  EXPECT_FALSE(ParseUpdatesAvailable("garbled\n").has_value());
  EXPECT_FALSE(ParseUpdatesAvailable("").has_value());
}

class UpdateSourceTest : public ::testing::Test {
 protected:
  UpdateSourceTest() { folder_.Write("var/lib/dpkg/status", "Package: jq\n"); }

  void Log(const std::string& text) {
    std::filesystem::create_directories(folder_ / "var/log");
    std::ofstream(folder_ / "var/log/dpkg.log", std::ios::app) << text;
  }
  absl::Status Sample() {
    sink_.Clear();
    return source_.Sample({now_, absl::Hours(1)}, sink_);
  }
  double Changes() { return sink_.Value("forewarn.packages.changes"); }

  TemporaryFolder folder_;
  HostFiles files_{folder_.path()};
  UpdateSource source_{files_};
  RecordingSink sink_{"update"};
  absl::Time now_ = absl::Now() + absl::Hours(2);
};

TEST_F(UpdateSourceTest, CountsAndTellsChangesFromItsStartOn) {
  Log("2024-05-01 10:00:00 install old:amd64 <none> 1\n");
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(Changes(), 0);
  EXPECT_TRUE(sink_.events.empty());

  Log("2024-05-03 10:12:31 upgrade libssl3:amd64 3.0.11 3.0.13\n"
      "2024-05-03 10:12:31 status installed libssl3:amd64 3.0.13\n"
      "2024-05-03 10:12:32 remove jq:amd64 1.6 <none>\n"
      "2024-05-03 10:12:33 install half");
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(Changes(), 2);
  ASSERT_EQ(sink_.events.size(), 1u);
  EXPECT_EQ(sink_.events[0].name(), "forewarn.event.package_change");
  EXPECT_EQ(sink_.events[0].message(), "upgrade libssl3 3.0.13, remove jq 1.6");
  EXPECT_EQ(sink_.events[0].attributes(1).value(), "libssl3, jq");

  Log("way:amd64 <none> 2\n");
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(Changes(), 3);
  EXPECT_EQ(sink_.events[0].message(), "install halfway 2");
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(Changes(), 3);
  EXPECT_TRUE(sink_.events.empty());
}

TEST_F(UpdateSourceTest, NamesTenOfMany) {
  FOREWARN_ASSERT_OK(Sample());
  for (int i = 0; i < 25; ++i) {
    Log(absl::StrCat("2024-05-03 10:12:31 install p", i, ":amd64 <none> 1\n"));
  }
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(Changes(), 25);
  ASSERT_EQ(sink_.events.size(), 1u);
  EXPECT_THAT(sink_.events[0].message(),
              ::testing::StartsWith("25 packages: install p0 1, "));
  EXPECT_THAT(sink_.events[0].message(), ::testing::HasSubstr("p9"));
  EXPECT_THAT(sink_.events[0].message(),
              ::testing::Not(::testing::HasSubstr("p10")));
}

TEST_F(UpdateSourceTest, FollowsTheLogOverItsRotation) {
  Log("2024-05-01 10:00:00 install old:amd64 <none> 1\n");
  FOREWARN_ASSERT_OK(Sample());
  std::filesystem::rename(folder_ / "var/log/dpkg.log",
                          folder_ / "var/log/dpkg.log.1");
  FOREWARN_ASSERT_OK(Sample());
  Log("2024-06-01 10:00:00 install newer-and-longer-name:amd64 <none> 1\n");
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(Changes(), 1);
  std::filesystem::rename(folder_ / "var/log/dpkg.log",
                          folder_ / "var/log/dpkg.log.2");
  Log("2024-07-01 10:00:00 install third-and-even-longer-name:amd64 <none> "
      "1\n");
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(Changes(), 2);
}

TEST_F(UpdateSourceTest, ReadsAgeOfListsAndWaitingUpdates) {
  folder_.Write("var/lib/apt/periodic/update-success-stamp", "");
  folder_.Write("var/lib/update-notifier/updates-available",
                "7 updates can be applied immediately.\n"
                "2 of these updates are standard security updates.\n");
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_NEAR(sink_.Value("forewarn.updates.oldest"), 7200, 600);
  EXPECT_EQ(sink_.Value("forewarn.updates.waiting{forewarn.update.type=all}"),
            7);
  EXPECT_EQ(
      sink_.Value("forewarn.updates.waiting{forewarn.update.type=security}"),
      2);
}

TEST_F(UpdateSourceTest, SaysNothingOfWhatIsNotKept) {
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_FALSE(sink_.Has("forewarn.updates.oldest"));
  EXPECT_EQ(sink_.Count("forewarn.updates.waiting"), 0);
}

TEST_F(UpdateSourceTest, WithoutDpkgItIsQuiet) {
  std::filesystem::remove(folder_ / "var/lib/dpkg/status");
  EXPECT_THAT(Sample(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(sink_.readings.empty());
}

}  // namespace
}  // namespace forewarn::agent
