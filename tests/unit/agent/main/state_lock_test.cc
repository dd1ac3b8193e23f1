#include "agent/main/state_lock.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;
using ::testing::HasSubstr;

TEST(StateLockTest, IsHeldByOneAndNamesIt) {
  const TemporaryFolder folder;
  const std::string path = folder / "agent.lock";
  EXPECT_EQ(StateLock::Holder(path), std::nullopt);
  {
    const auto lock = StateLock::Take(path);
    FOREWARN_ASSERT_OK(lock);
    EXPECT_EQ(StateLock::Holder(path), getpid());
    EXPECT_THAT(StateLock::Take(path),
                StatusIs(absl::StatusCode::kAlreadyExists,
                         HasSubstr(absl::StrCat("process ", getpid()))));
  }
  EXPECT_EQ(StateLock::Holder(path), std::nullopt);
  FOREWARN_EXPECT_OK(StateLock::Take(path));
}

TEST(StateLockTest, DoesNotFollowASymbolicLink) {
  const TemporaryFolder folder;
  folder.Write("target", "precious");
  ASSERT_EQ(symlink((folder / "target").c_str(), (folder / "l").c_str()), 0);
  EXPECT_FALSE(StateLock::Take(folder / "l").ok());
}

}  // namespace
}  // namespace forewarn::agent
