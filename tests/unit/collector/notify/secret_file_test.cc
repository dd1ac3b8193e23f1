#include "collector/notify/secret_file.h"

#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::notify {
namespace {

using ::forewarn::testing::IsOkAndHolds;
using ::forewarn::testing::StatusIs;

class SecretFileTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& text, int mode = 0600) {
    folder_.Write("secret", text);
    std::filesystem::permissions(folder_ / "secret",
                                 static_cast<std::filesystem::perms>(mode));
    return folder_ / "secret";
  }
  testing::TemporaryFolder folder_;
};

TEST_F(SecretFileTest, LeavesOutTheLineBreakOnly) {
  EXPECT_THAT(ReadSecretFile(Write(" p w \n")), IsOkAndHolds(" p w "));
  EXPECT_THAT(ReadSecretFile(Write("x\r\n")), IsOkAndHolds("x"));
}

TEST_F(SecretFileTest, RefusesWhatOthersMayRead) {
  EXPECT_THAT(ReadSecretFile(Write("x", 0644)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(ReadSecretFile(Write("x", 0620)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(SecretFileTest, RefusesEmptyAndHugeAndMissingFiles) {
  EXPECT_THAT(ReadSecretFile(Write("\n")),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadSecretFile(Write(std::string(5000, 'x'))),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadSecretFile(folder_ / "none"),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace forewarn::notify
