#include "agent/sources/process_table.h"

#include <unistd.h>

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;

TEST(ProcessTableTest, ReadsAProcessWhoseNameLooksLikeFields) {
  const auto stat = ParseProcessStat(
      "4711 (a) S 1 (b) D 1 4711 4711 0 -1 4194560 5 0 0 0 150 50 0 0 20 0 3 "
      "0 12345 1000000 256 18446744073709551615 1 1\n");
  FOREWARN_ASSERT_OK(stat);
  EXPECT_EQ(stat->pid, 4711u);
  EXPECT_EQ(stat->name, "a) S 1 (b");
  EXPECT_EQ(stat->state, 'D');
  EXPECT_DOUBLE_EQ(stat->cpu_seconds,
                   200.0 / static_cast<double>(sysconf(_SC_CLK_TCK)));
  EXPECT_EQ(stat->start_ticks, 12345u);
  EXPECT_EQ(stat->resident_bytes,
            256u * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
}

TEST(ProcessTableTest, RefusesGarbledStat) {
  for (const char* text :
       {"", "4711", "4711 (a", "4711 )a( S 1", "x (a) S 1 1 1 1 1 1 1 1 1 1",
        "1 (a) S 1 1 1 0 -1 4194560 5 0 0 0 x 50 0 0 20 0 3 0 12345 1000 256",
        "1 (a) S 1 1 1"}) {
    EXPECT_THAT(ParseProcessStat(text), StatusIs(absl::StatusCode::kDataLoss))
        << text;
  }
}

TEST(ProcessTableTest, ReadsStatus) {
  const ProcessStatus status = ParseProcessStatus(
      "Name:\tcat\nUid:\t1000\t1000\t1000\t1000\nFDSize:\t64\n"
      "voluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n");
  EXPECT_EQ(status.user_id, 1000u);
  EXPECT_EQ(status.descriptor_slots, 64u);
  EXPECT_EQ(status.switches, 695u);
  EXPECT_EQ(ParseProcessStatus("Uid:\tx\n\n:::").user_id, 0u);
}

TEST(ProcessTableTest, ReadsTheSoftLimitOfFiles) {
  EXPECT_EQ(ParseFileLimit("Limit                     Soft Limit Hard Limit\n"
                           "Max processes             95000      95000\n"
                           "Max open files            1024       524288 "
                           "files\n"),
            1024u);
  EXPECT_EQ(ParseFileLimit("Max open files            unlimited  unlimited"),
            0u);
  EXPECT_EQ(ParseFileLimit(""), 0u);
}

TEST(ProcessTableTest, CommandIsOneCleanLineOfBoundedLength) {
  const std::string arguments("nginx\0-g\0daemon\noff;\0", 21);
  EXPECT_EQ(CleanCommand(arguments, 200), "nginx -g daemon\xEF\xBF\xBDoff;");
  EXPECT_EQ(CleanCommand(std::string(5000, 'x'), 200), std::string(200, 'x'));
  EXPECT_EQ(CleanCommand("", 200), "");
}

TEST(ProcessTableTest, SecretsInCommandsAreMasked) {
  const auto clean = [](std::string arguments) {
    for (char& c : arguments) {
      if (c == ' ') c = '\0';
    }
    return CleanCommand(arguments, 200);
  };
  EXPECT_EQ(clean("app --db-password=hunter2 --port=1"),
            "app --db-password=*** --port=1");
  EXPECT_EQ(clean("app --token abc run"), "app --token *** run");
  EXPECT_EQ(clean("env API_KEY=abc app"), "env API_KEY=*** app");
  EXPECT_EQ(clean("app --password --verbose"), "app --password --verbose");
  EXPECT_EQ(clean("vi secret.txt notes"), "vi secret.txt notes");
}

TEST(UserNamesTest, NamesComeFromPasswdAndAreKeptForAWhile) {
  TemporaryFolder folder;
  folder.Write("etc/passwd",
               "root:x:0:0:root:/root:/bin/sh\n"
               "garbled\nx:y\n::5:\n"
               "anna:x:1000:1000:Anna:/home/anna:/bin/sh\n");
  const HostFiles files(folder.path());
  UserNames users(files);
  EXPECT_EQ(users.NameOf(0, absl::Hours(1)), "root");
  EXPECT_EQ(users.NameOf(1000, absl::Hours(1)), "anna");
  EXPECT_EQ(users.NameOf(5, absl::Hours(1)), "5");
  folder.Write("etc/passwd", "bob:x:1000:1000::/:\n");
  EXPECT_EQ(users.NameOf(1000, absl::Hours(1) + absl::Minutes(9)), "anna");
  EXPECT_EQ(users.NameOf(1000, absl::Hours(1) + absl::Minutes(10)), "bob");
}

TEST(UserNamesTest, WithoutPasswdTheNumberStands) {
  TemporaryFolder folder;
  const HostFiles files(folder.path());
  UserNames users(files);
  EXPECT_EQ(users.NameOf(33, absl::Hours(1)), "33");
}

}  // namespace
}  // namespace forewarn::agent
