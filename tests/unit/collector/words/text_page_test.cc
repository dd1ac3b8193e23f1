#include "collector/words/text_page.h"

#include <string>

#include "absl/strings/str_split.h"
#include "collector/words/visible.h"
#include "gtest/gtest.h"

namespace forewarn::words {
namespace {

TEST(TextPageTest, BreaksBetweenWordsWithinEightyColumns) {
  TextPage page;
  std::string text;
  for (int i = 0; i < 60; ++i) text += "wörter ";
  page.Item("1.", text);
  const std::string shown = page.Take();
  EXPECT_EQ(shown.substr(0, 9), "  1. wör");
  for (absl::string_view line : absl::StrSplit(shown, '\n')) {
    EXPECT_LE(DisplayWidth(line), TextPage::kWidth);
  }
  EXPECT_NE(shown.find("\n     wörter"), std::string::npos);
}

TEST(TextPageTest, KeepsALongCommandWhole) {
  TextPage page;
  const std::string command(100, 'x');
  page.Paragraph("run " + command + " now");
  EXPECT_EQ(page.Take(), "  run\n  " + command + "\n  now\n");
}

TEST(TextPageTest, FieldsStandInLine) {
  TextPage page;
  page.Heading("Why");
  page.Field("Value", "85 %");
  page.Field("Time left", "2 h");
  EXPECT_EQ(page.Take(), "WHY\n  Value       85 %\n  Time left   2 h\n");
}

TEST(TextPageTest, ATextCannotMakeLinesOfItsOwn) {
  TextPage page;
  page.Field("Host", "a\nWHAT TO DO");
  EXPECT_EQ(page.Take(), "  Host        a WHAT TO DO\n");
}

TEST(TextPageTest, FitsTextToColumns) {
  EXPECT_EQ(FitTo("ab", 4), "ab  ");
  EXPECT_EQ(FitTo("abcdef", 4), "abc…");
  EXPECT_EQ(FitTo("磁盘磁盘", 4), "磁… ");
}

}  // namespace
}  // namespace forewarn::words
