#include "collector/cli/screen_text.h"

#include "gtest/gtest.h"

namespace forewarn::cli {
namespace {

TEST(ScreenTextTest, LeavesPlainTextAsItIs) {
  EXPECT_EQ(Inert("disk / fills, 12 °C, 日本語, \\n"),
            "disk / fills, 12 °C, 日本語, \\n");
}

TEST(ScreenTextTest, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(Inert("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(Inert("a\nb\tc\rd\x7f"), "a\\nb\\tc\\x0dd\\x7f");
  EXPECT_EQ(Inert("a\xc2\x9b"
                  "31m"),
            "a\\u{9b}31m");
}

TEST(ScreenTextTest, ShowsWhatHidesOrTurnsText) {
  EXPECT_EQ(Inert("abc\u202egnp.exe"), "abc\\u{202e}gnp.exe");
  EXPECT_EQ(Inert("a\u200bb"), "a\\u{200b}b");
  EXPECT_EQ(Inert("a\xf3\xa0\x80\x81"), "a\\u{e0001}");
}

TEST(ScreenTextTest, ShowsBrokenUtf8ByteByByte) {
  EXPECT_EQ(Inert("a\xff\xc0\xaf\xed\xa0\x80z"),
            "a\\xff\\xc0\\xaf\\xed\\xa0\\x80z");
  EXPECT_EQ(Inert("\xe2\x82"), "\\xe2\\x82");
}

TEST(ScreenTextTest, KeepsLineEndsOfLongTexts) {
  EXPECT_EQ(InertLines("one\ntwo\x1b\n"), "one\ntwo\\x1b\n");
}

TEST(ScreenTextTest, KnowsHowWideTextIs) {
  EXPECT_EQ(ScreenWidth("abc"), 3u);
  EXPECT_EQ(ScreenWidth("æøå"), 3u);
  EXPECT_EQ(ScreenWidth("日本"), 4u);
  EXPECT_EQ(ScreenWidth("e\u0301"), 1u);
}

TEST(ScreenTextTest, CutsToAWidth) {
  EXPECT_EQ(Cut("abcdef", 6), "abcdef");
  EXPECT_EQ(Cut("abcdef", 4), "abc…");
  EXPECT_EQ(Cut("日本語", 4), "日…");
  EXPECT_EQ(Cut("abc", 0), "");
}

}  // namespace
}  // namespace forewarn::cli
