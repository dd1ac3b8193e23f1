#include "collector/desk/person_text.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::desk {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;

absl::Status Check(absl::string_view text) {
  return CheckText(text, "comment", 16, Emptiness::kRefused);
}

TEST(PersonTextTest, TakesEveryLanguage) {
  EXPECT_THAT(Check("r\xc3\xb8yk"), IsOk());
  EXPECT_THAT(Check("\xd8\xaf\xd9\x88\xd8\xaf"), IsOk());
  EXPECT_THAT(Check("\xf0\x9f\x94\xa5"), IsOk());
}

TEST(PersonTextTest, RefusesWhatIsNotUtf8) {
  for (const char* bad :
       {"\xff", "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xf0\x9f\x94", "ok\xc3("}) {
    EXPECT_THAT(Check(bad), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(PersonTextTest, BoundsTheLength) {
  EXPECT_THAT(Check(std::string(16, 'a')), IsOk());
  EXPECT_THAT(Check(std::string(17, 'a')),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(PersonTextTest, EmptyOnlyWhereAllowed) {
  EXPECT_THAT(Check(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckText("", "comment", 16, Emptiness::kAllowed), IsOk());
}

}  // namespace
}  // namespace forewarn::desk
