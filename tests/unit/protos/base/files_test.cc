#include "protos/base/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::base {
namespace {

using ::forewarn::testing::FakeFiles;
using ::forewarn::testing::IsOkAndHolds;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;
using ::testing::ElementsAre;

mode_t ModeOf(const std::string& path) {
  struct stat facts {};
  EXPECT_EQ(stat(path.c_str(), &facts), 0);
  return facts.st_mode & 0777;
}

TEST(PosixFilesTest, AppendsAcrossOpens) {
  const TemporaryFolder folder;
  for (const char* word : {"one ", "two"}) {
    auto file = Files::Posix().OpenAppend(folder / "a");
    FOREWARN_ASSERT_OK(file);
    FOREWARN_ASSERT_OK((*file)->Append(word));
    FOREWARN_ASSERT_OK((*file)->Sync());
  }
  EXPECT_THAT(Files::Posix().Read(folder / "a", 100), IsOkAndHolds("one two"));
}

TEST(PosixFilesTest, MakesFilesAndFoldersForTheOwnerOnly) {
  const TemporaryFolder folder;
  FOREWARN_ASSERT_OK(Files::Posix().MakeFolder(folder / "x/y"));
  FOREWARN_ASSERT_OK(Files::Posix().WriteAtomically(folder / "x/y/f", "z"));
  EXPECT_EQ(ModeOf(folder / "x/y"), 0700u);
  EXPECT_EQ(ModeOf(folder / "x/y/f"), 0600u);
}

TEST(PosixFilesTest, RefusesToReadMoreThanAllowed) {
  const TemporaryFolder folder;
  folder.Write("f", "12345");
  EXPECT_THAT(Files::Posix().Read(folder / "f", 4),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(PosixFilesTest, NamesTheDeedAndThePathOfAMissingFile) {
  EXPECT_THAT(Files::Posix().Read("/nonexistent/f", 4),
              StatusIs(absl::StatusCode::kNotFound,
                       ::testing::HasSubstr("open /nonexistent/f")));
}

TEST(PosixFilesTest, DoesNotAppendThroughASymbolicLink) {
  const TemporaryFolder folder;
  folder.Write("target", "");
  ASSERT_EQ(symlink((folder / "target").c_str(), (folder / "link").c_str()), 0);
  EXPECT_FALSE(Files::Posix().OpenAppend(folder / "link").ok());
}

TEST(PosixFilesTest, ReplacesAtomicallyEvenOverWhatACrashLeft) {
  const TemporaryFolder folder;
  folder.Write("f", "old");
  folder.Write("f.new", "left by a crash");
  FOREWARN_ASSERT_OK(Files::Posix().WriteAtomically(folder / "f", "new"));
  EXPECT_THAT(Files::Posix().Read(folder / "f", 100), IsOkAndHolds("new"));
  EXPECT_THAT(Files::Posix().List(folder.path()),
              IsOkAndHolds(ElementsAre("f")));
}

TEST(FakeFilesTest, ForgetsWhatWasNotSynced) {
  FakeFiles files;
  FOREWARN_ASSERT_OK(files.MakeFolder("/s"));
  auto file = files.OpenAppend("/s/f");
  FOREWARN_ASSERT_OK(file);
  FOREWARN_ASSERT_OK((*file)->Append("kept"));
  FOREWARN_ASSERT_OK((*file)->Sync());
  FOREWARN_ASSERT_OK(files.SyncFolder("/s"));
  FOREWARN_ASSERT_OK((*file)->Append(" lost"));
  files.CutPower();
  EXPECT_THAT(files.Read("/s/f", 100), IsOkAndHolds("kept"));
}

TEST(FakeFilesTest, WriteAtomicallyLeavesOldOrNewAtEveryFailure) {
  for (int nth = 1; nth <= 8; ++nth) {
    FakeFiles files;
    FOREWARN_ASSERT_OK(files.MakeFolder("/s"));
    FOREWARN_ASSERT_OK(files.WriteAtomically("/s/f", "old"));
    files.FailAt(nth);
    const absl::Status status = files.WriteAtomically("/s/f", "new");
    files.CutPower();
    EXPECT_THAT(files.Read("/s/f", 100),
                IsOkAndHolds(status.ok() ? "new" : "old"))
        << nth;
  }
}

TEST(FolderOfTest, NamesTheFolder) {
  EXPECT_EQ(FolderOf("/a/b"), "/a");
  EXPECT_EQ(FolderOf("/a"), "/");
  EXPECT_EQ(FolderOf("a"), ".");
}

}  // namespace
}  // namespace forewarn::base
