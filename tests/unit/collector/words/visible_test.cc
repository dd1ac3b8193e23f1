#include "collector/words/visible.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::words {
namespace {

TEST(VisibleTest, LeavesOrdinaryTextOfAllLanguagesAlone) {
  for (const char* text : {"web-01", "Größe 85 °C", "сервер", "نمی‌شود",
                           "磁盘", "👩‍💻", ""}) {
    EXPECT_EQ(Visible(text), text);
  }
}

TEST(VisibleTest, ShowsControlBytes) {
  EXPECT_EQ(Visible("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(Visible("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(Visible(absl::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Visible("\x7f"), "\\x7f");
  EXPECT_EQ(Visible("\xc2\x9b"
                    "31m"),
            "\\u{9b}31m");  // CSI as one character
}

TEST(VisibleTest, ShowsWhatTurnsOrHidesText) {
  EXPECT_EQ(Visible("user\u202Etxt.exe"), "user\\u{202e}txt.exe");
  EXPECT_EQ(Visible("\u2066x\u2069"), "\\u{2066}x\\u{2069}");
  EXPECT_EQ(Visible("a\u200Bb\uFEFF"), "a\\u{200b}b\\u{feff}");
  EXPECT_EQ(Visible("a\u2028b"), "a\\u{2028}b");
}

TEST(VisibleTest, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(Visible("a\xff"), "a\\xff");
  EXPECT_EQ(Visible("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(Visible("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(Visible("\xe2\x82"), "\\xe2\\x82");           // cut off
  EXPECT_EQ(Visible("\xf8\x88\x80\x80\x80"), "\\xf8\\x88\\x80\\x80\\x80");
}

TEST(VisibleTest, CutsLongText) {
  EXPECT_EQ(Visible("abcdef", 3), "abc…");
  EXPECT_EQ(Visible("abc", 3), "abc");
}

TEST(VisibleTest, KnowsHowWideTextIs) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("▁▂▃"), 3);
  EXPECT_EQ(DisplayWidth("磁盘"), 4);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
}

}  // namespace
}  // namespace forewarn::words
