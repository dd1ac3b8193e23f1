#include "collector/identity/private_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::identity {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::IsOkAndHolds;
using ::forewarn::testing::StatusIs;
using ::testing::HasSubstr;

mode_t ModeOf(const std::string& path) {
  struct stat facts;
  return stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777 : 0;
}

TEST(PrivateFileTest, ReplacesTheWholeFileAndSetsItsMode) {
  testing::TemporaryFolder folder;
  ASSERT_THAT(ReplaceFile(folder / "key", "a long first text", 0600), IsOk());
  ASSERT_THAT(ReplaceFile(folder / "key", "second", 0600), IsOk());
  EXPECT_THAT(ReadPrivateFile(folder / "key"), IsOkAndHolds("second"));
  EXPECT_EQ(ModeOf(folder / "key"), 0600u);
}

TEST(PrivateFileTest, ModeDoesNotDependOnTheUmask) {
  testing::TemporaryFolder folder;
  const mode_t before = umask(0077);
  const absl::Status written = ReplaceFile(folder / "ca.pem", "x", 0644);
  umask(before);
  ASSERT_THAT(written, IsOk());
  EXPECT_EQ(ModeOf(folder / "ca.pem"), 0644u);
}

TEST(PrivateFileTest, LeavesNoTemporaryFileBehindAndOvercomesAnOldOne) {
  testing::TemporaryFolder folder;
  folder.Write("key.new", "left by a crash");
  ASSERT_THAT(ReplaceFile(folder / "key", "text", 0600), IsOk());
  EXPECT_FALSE(std::filesystem::exists(folder / "key.new"));
}

TEST(PrivateFileTest, RefusesAKeyThatOthersMayRead) {
  testing::TemporaryFolder folder;
  ASSERT_THAT(ReplaceFile(folder / "key", "text", 0640), IsOk());
  EXPECT_THAT(ReadPrivateFile(folder / "key"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("mode is 0640")));
  EXPECT_THAT(ReadSmallFile(folder / "key"), IsOkAndHolds("text"));
}

TEST(PrivateFileTest, RefusesHugeFilesAndNamesMissingOnes) {
  testing::TemporaryFolder folder;
  folder.Write("huge", std::string(64 * 1024 + 1, 'x'));
  EXPECT_THAT(ReadSmallFile(folder / "huge"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadSmallFile(folder / "none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

}  // namespace
}  // namespace forewarn::identity
