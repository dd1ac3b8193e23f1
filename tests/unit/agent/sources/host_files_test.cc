#include "agent/sources/host_files.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::IsOkAndHolds;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(HostFilesTest, ReadsWholeFilesUnderItsRoot) {
  TemporaryFolder folder;
  const std::string large(100'000, 'x');
  folder.Write("proc/a", " one\ntwo \n");
  folder.Write("proc/large", large);
  folder.Write("proc/empty", "");
  const HostFiles files(folder.path() + "/");
  EXPECT_THAT(files.Read("/proc/a"), IsOkAndHolds(" one\ntwo \n"));
  EXPECT_THAT(files.ReadLine("/proc/a"), IsOkAndHolds("one\ntwo"));
  EXPECT_THAT(files.Read("/proc/large"), IsOkAndHolds(large));
  EXPECT_THAT(files.Read("/proc/empty"), IsOkAndHolds(""));
}

TEST(HostFilesTest, SaysWhatIsMissing) {
  TemporaryFolder folder;
  const HostFiles files(folder.path());
  EXPECT_THAT(files.Read("/proc/none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/proc/none")));
  EXPECT_THAT(files.List("/proc"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(files.ReadLink("/proc/x"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(files.Usage("/"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(files.Exists("/proc/none"));
}

TEST(HostFilesTest, ReadsNumbers) {
  TemporaryFolder folder;
  folder.Write("number", "-12.5\n");
  folder.Write("word", "twelve\n");
  folder.Write("infinite", "inf\n");
  const HostFiles files(folder.path());
  EXPECT_THAT(files.ReadNumber("/number"), IsOkAndHolds(-12.5));
  EXPECT_THAT(files.ReadNumber("/infinite"),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(files.ReadNumber("/word"), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(HostFilesTest, RefusesFilesBeyondItsBound) {
  TemporaryFolder folder;
  folder.Write("most", std::string(4 << 20, 'x'));
  folder.Write("more", std::string((4 << 20) + 1, 'x'));
  const HostFiles files(folder.path());
  EXPECT_TRUE(files.Read("/most").ok());
  EXPECT_THAT(files.Read("/more"),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(HostFilesTest, DoesNotWaitForAPipesWriter) {
  TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(HostFiles(folder.path()).Read("/pipe"), IsOkAndHolds(""));
}

TEST(HostFilesTest, ListsNamesInOrder) {
  TemporaryFolder folder;
  folder.Write("d/b", "");
  folder.Write("d/a", "");
  folder.Write("d/.c/x", "");
  EXPECT_THAT(HostFiles(folder.path()).List("/d"),
              IsOkAndHolds(ElementsAre(".c", "a", "b")));
}

TEST(HostFilesTest, ReadsLinksWithoutFollowing) {
  TemporaryFolder folder;
  std::filesystem::create_symlink("../devices/x", folder / "link");
  EXPECT_THAT(HostFiles(folder.path()).ReadLink("/link"),
              IsOkAndHolds("../devices/x"));
}

TEST(HostFilesTest, ReadsUsageOfAFixture) {
  TemporaryFolder folder;
  folder.Write("srv.statvfs",
               "block_bytes 4096\nblocks 100\nblocks_free 40\n"
               "blocks_available 30\ninodes 10\ninodes_free 5\nread_only 1\n");
  folder.Write("bad.statvfs", "blocks many\n");
  const HostFiles files(folder.path());
  const auto usage = files.Usage("/srv");
  ASSERT_TRUE(usage.ok());
  EXPECT_EQ(usage->block_bytes, 4096u);
  EXPECT_EQ(usage->blocks, 100u);
  EXPECT_EQ(usage->blocks_free, 40u);
  EXPECT_EQ(usage->blocks_available, 30u);
  EXPECT_EQ(usage->inodes, 10u);
  EXPECT_EQ(usage->inodes_free, 5u);
  EXPECT_TRUE(usage->read_only);
  EXPECT_THAT(files.Usage("/bad"), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(HostFilesTest, ReadsThisMachine) {
  const HostFiles files;
  EXPECT_TRUE(files.is_this_machine());
  EXPECT_TRUE(files.Read("/proc/stat").ok());
  const auto usage = files.Usage("/");
  ASSERT_TRUE(usage.ok());
  EXPECT_GT(usage->blocks, 0u);
}

}  // namespace
}  // namespace forewarn::agent
