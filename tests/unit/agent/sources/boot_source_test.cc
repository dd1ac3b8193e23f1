#include "agent/sources/boot_source.h"

#include <utmp.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/overlay_host_files.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::OverlayHostFiles;
using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;

// The server's state over boots and starts of the agent.
class BootSourceTest : public ::testing::Test {
 protected:
  BootSourceTest() : files_("debian-server") {
    files_.Write("/proc/uptime", "100.00 200.00\n");
  }

  // The agent starts and reads once.
  void StartAgent() {
    BootSource source(files_, state_path());
    sink_.Clear();
    FOREWARN_ASSERT_OK(source.Sample(now_, sink_));
  }
  void Boot(const std::string& id) {
    files_.Write("/proc/sys/kernel/random/boot_id", id + "\n");
  }
  void WriteWtmp(const char* before, absl::Time booted) {
    utmp record{};
    record.ut_type = RUN_LVL;
    std::memcpy(record.ut_user, before, std::strlen(before));
    std::string text(reinterpret_cast<const char*>(&record), sizeof(record));
    record = {};
    record.ut_type = BOOT_TIME;
    record.ut_tv.tv_sec = static_cast<int32_t>(absl::ToUnixSeconds(booted));
    text.append(reinterpret_cast<const char*>(&record), sizeof(record));
    files_.Write("/var/log/wtmp", text);
  }
  std::string state_path() const { return folder_ / "boot"; }
  double unexpected() const { return sink_.Value("forewarn.boot.unexpected"); }
  double changes(const std::string& what) const {
    return sink_.Value(absl::StrCat(
        "forewarn.identity.changes{forewarn.identity.what=", what, "}"));
  }

  TemporaryFolder folder_;
  OverlayHostFiles files_;
  RecordingSink sink_{"boot"};
  SampleTime now_{absl::FromUnixSeconds(1'800'000'000), absl::Seconds(100)};
};

TEST_F(BootSourceTest, ReadsUptimeAndEntropy) {
  StartAgent();
  EXPECT_EQ(sink_.Value("system.uptime"), 100);
  EXPECT_EQ(sink_.Value("forewarn.entropy.available"), 256);
}

TEST_F(BootSourceTest, TheFirstBootIsNeverUnexpected) {
  StartAgent();
  EXPECT_EQ(unexpected(), 0);
  EXPECT_EQ(sink_.Value("forewarn.boot.count"), 1);
  EXPECT_TRUE(sink_.events.empty());
}

TEST_F(BootSourceTest, ABootWithoutAShutdownBeforeIsUnexpectedForAnHour) {
  StartAgent();
  Boot("second");
  StartAgent();
  EXPECT_EQ(unexpected(), 1);
  EXPECT_EQ(sink_.Value("forewarn.boot.count"), 2);
  ASSERT_EQ(sink_.events.size(), 1u);
  EXPECT_EQ(sink_.events[0].name(), "forewarn.event.boot");
  // A restart of the agent forgets nothing and counts nothing twice.
  StartAgent();
  EXPECT_EQ(unexpected(), 1);
  EXPECT_EQ(sink_.Value("forewarn.boot.count"), 2);
  EXPECT_TRUE(sink_.events.empty());
  files_.Write("/proc/uptime", "3600.00 1.00\n");
  StartAgent();
  EXPECT_EQ(unexpected(), 0);
}

TEST_F(BootSourceTest, AMarkedShutdownMakesTheNextBootExpected) {
  StartAgent();
  FOREWARN_ASSERT_OK(MarkOrderlyShutdown(state_path()));
  Boot("second");
  StartAgent();
  EXPECT_EQ(unexpected(), 0);
  EXPECT_EQ(sink_.Value("forewarn.boot.count"), 2);
  // The mark holds for one boot.
  Boot("third");
  StartAgent();
  EXPECT_EQ(unexpected(), 1);
}

TEST_F(BootSourceTest, AShutdownThatWasCalledOffIsNoMark) {
  StartAgent();
  FOREWARN_ASSERT_OK(MarkOrderlyShutdown(state_path()));
  StartAgent();  // in the same boot
  Boot("second");
  StartAgent();
  EXPECT_EQ(unexpected(), 1);
}

TEST_F(BootSourceTest, WtmpTellsOfAShutdownTheAgentDidNotSee) {
  StartAgent();
  Boot("second");
  WriteWtmp("shutdown", now_.wall - absl::Seconds(95));
  StartAgent();
  EXPECT_EQ(unexpected(), 0);
}

TEST_F(BootSourceTest, WtmpOfAnotherBootTellsNothing) {
  StartAgent();
  Boot("second");
  WriteWtmp("shutdown", now_.wall - absl::Hours(48));
  StartAgent();
  EXPECT_EQ(unexpected(), 1);
}

TEST_F(BootSourceTest, TellsForHowLongARestartIsAskedFor) {
  BootSource source(files_, state_path());
  FOREWARN_ASSERT_OK(source.Sample(now_, sink_));
  EXPECT_EQ(sink_.Value("forewarn.reboot.required"), 1);
  EXPECT_EQ(sink_.Value("forewarn.reboot.required.age"), 0);
  now_.wall += absl::Hours(2);
  StartAgent();
  EXPECT_EQ(sink_.Value("forewarn.reboot.required.age"), 7200);
  files_.Remove("/run/reboot-required");
  sink_.Clear();
  FOREWARN_ASSERT_OK(source.Sample(now_, sink_));
  EXPECT_EQ(sink_.Value("forewarn.reboot.required"), 0);
  EXPECT_FALSE(sink_.Has("forewarn.reboot.required.age"));
  // Where /var/run is no link.
  files_.Write("/var/run/reboot-required", "");
  sink_.Clear();
  FOREWARN_ASSERT_OK(source.Sample(now_, sink_));
  EXPECT_EQ(sink_.Value("forewarn.reboot.required.age"), 0);
}

TEST_F(BootSourceTest, CountsChangesOfIdentityOverRestarts) {
  StartAgent();
  EXPECT_EQ(changes("host_name"), 0);
  EXPECT_EQ(changes("accounts"), 0);
  files_.Write("/proc/sys/kernel/hostname", "other.example\n");
  files_.Write("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  files_.Replace("/etc/os-release", "VERSION_ID=\"12\"", "VERSION_ID=\"13\"");
  StartAgent();
  EXPECT_EQ(changes("host_name"), 1);
  EXPECT_EQ(changes("accounts"), 1);
  EXPECT_EQ(changes("os_version"), 1);
  EXPECT_EQ(changes("machine_id"), 0);
  ASSERT_EQ(sink_.events.size(), 3u);
  EXPECT_EQ(sink_.events[0].name(), "forewarn.event.identity_changed");
  StartAgent();
  EXPECT_EQ(changes("host_name"), 1);
  EXPECT_TRUE(sink_.events.empty());
}

TEST_F(BootSourceTest, NoticesAChangeWithinAMinute) {
  BootSource source(files_, state_path());
  FOREWARN_ASSERT_OK(source.Sample(now_, sink_));
  files_.Write("/etc/group", "root:x:0:eve\n");
  now_.since_boot += absl::Minutes(1);
  sink_.Clear();
  FOREWARN_ASSERT_OK(source.Sample(now_, sink_));
  EXPECT_EQ(changes("accounts"), 1);
}

TEST_F(BootSourceTest, AFileThatComesOrGoesIsNoChange) {
  StartAgent();
  files_.Write("/etc/shadow", "root:*:19000:0:99999:7:::\n");
  StartAgent();
  EXPECT_EQ(changes("accounts"), 0);
  files_.Remove("/etc/shadow");
  StartAgent();
  EXPECT_EQ(changes("accounts"), 0);
  files_.Write("/etc/shadow", "root:!:19001:0:99999:7:::\n");
  StartAgent();
  EXPECT_EQ(changes("accounts"), 1);
}

TEST_F(BootSourceTest, NewPackageTextIsNoNewVersion) {
  StartAgent();
  files_.Replace("/etc/os-release", "BUG_REPORT_URL", "BUGS_URL");
  StartAgent();
  EXPECT_EQ(changes("os_version"), 0);
}

TEST_F(BootSourceTest, KeepsItsStateForItsOwnerOnlyAndWithoutSecrets) {
  files_.Write("/etc/shadow", "root:$y$j9T$hash:19000:0:99999:7:::\n");
  StartAgent();
  const auto permissions = std::filesystem::status(state_path()).permissions();
  EXPECT_EQ(permissions & (std::filesystem::perms::group_all |
                           std::filesystem::perms::others_all),
            std::filesystem::perms::none);
  const auto text = HostFiles().Read(state_path());
  FOREWARN_ASSERT_OK(text);
  EXPECT_THAT(*text, ::testing::Not(::testing::HasSubstr("$y$")));
}

TEST_F(BootSourceTest, GarbledStateStartsAnew) {
  folder_.Write("boot", "no such state\n");
  StartAgent();
  EXPECT_EQ(unexpected(), 0);
  EXPECT_EQ(sink_.Value("forewarn.boot.count"), 1);
}

TEST_F(BootSourceTest, WithoutAPlaceForItsStateItReadsTheRest) {
  BootSource source(files_, "");
  FOREWARN_ASSERT_OK(source.Sample(now_, sink_));
  EXPECT_EQ(sink_.Value("forewarn.boot.count"), 1);
  EXPECT_EQ(changes("host_name"), 0);
}

TEST_F(BootSourceTest, SaysThatItsStateCannotBeWritten) {
  BootSource source(files_, folder_ / "missing/boot");
  EXPECT_FALSE(source.Sample(now_, sink_).ok());
  EXPECT_EQ(sink_.Value("system.uptime"), 100);
  EXPECT_EQ(unexpected(), 0);
}

TEST_F(BootSourceTest, AMissingFileIsNothingToRead) {
  files_.Remove("/proc/uptime");
  BootSource source(files_, state_path());
  EXPECT_THAT(source.Sample(now_, sink_),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(sink_.readings.empty());
}

TEST_F(BootSourceTest, AGarbledFileIsAFailure) {
  const OverlayHostFiles garbled("garbled");
  BootSource source(garbled, state_path());
  EXPECT_THAT(source.Sample(now_, sink_),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(sink_.readings.empty());
}

}  // namespace
}  // namespace forewarn::agent
