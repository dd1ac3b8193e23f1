#include "agent/sources/text.h"

#include <array>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::agent {
namespace {

using ::testing::ElementsAre;

TEST(TextTest, KeepsCleanText) {
  EXPECT_EQ(CleanText("srv/données/日本 🙂", 100),
            "srv/données/日本 🙂");
}

TEST(TextTest, ReplacesControlCharacters) {
  EXPECT_EQ(CleanText("a\nb\x1b[31m\x7f", 100), "a�b�[31m�");
  EXPECT_EQ(CleanText(absl::string_view("\0x", 2), 100), "�x");
  EXPECT_EQ(CleanText("\xC2\x85", 100), "��");  // C1: next line
}

TEST(TextTest, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(CleanText("a\xff\xfe", 100), "a��");
  EXPECT_EQ(CleanText("\xC0\xAF", 100), "��");            // overlong
  EXPECT_EQ(CleanText("\xED\xA0\x80", 100), "���");       // surrogate
  EXPECT_EQ(CleanText("\xF4\x90\x80\x80", 100), "����");  // past the end
  EXPECT_EQ(CleanText("x\xE2\x82", 100), "x��");          // torn
}

TEST(TextTest, CutsBetweenCharacters) {
  EXPECT_EQ(CleanText("aé", 2), "a");
  EXPECT_EQ(CleanText("aé", 3), "aé");
  EXPECT_EQ(CleanText("abc", 0), "");
}

TEST(TextTest, TakesLinesOffAText) {
  absl::string_view text = "one\n\nlast";
  absl::string_view line;
  ASSERT_TRUE(NextLine(text, line));
  EXPECT_EQ(line, "one");
  ASSERT_TRUE(NextLine(text, line));
  EXPECT_EQ(line, "");
  ASSERT_TRUE(NextLine(text, line));
  EXPECT_EQ(line, "last");
  EXPECT_FALSE(NextLine(text, line));
}

TEST(TextTest, SplitsFieldsAtBlanksAndTabs) {
  std::array<absl::string_view, 3> fields;
  EXPECT_EQ(SplitFields("  a\tbb  ", fields), 2u);
  EXPECT_EQ(fields[0], "a");
  EXPECT_EQ(fields[1], "bb");
  EXPECT_EQ(SplitFields("1 2 3 4", fields), 3u);
  EXPECT_THAT(fields, ElementsAre("1", "2", "3"));
  EXPECT_EQ(SplitFields("", fields), 0u);
}

TEST(TextTest, ParsesOnlyWholeNumbersWithoutSign) {
  uint64_t value = 7;
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1.5", "0x1", "abc",
                          "18446744073709551616"}) {
    EXPECT_FALSE(ParseCount(bad, value)) << bad;
    EXPECT_EQ(value, 7u);
  }
  EXPECT_TRUE(ParseCount("18446744073709551615", value));
  EXPECT_EQ(value, 18446744073709551615u);
}

TEST(TextTest, DecodesOctalEscapes) {
  EXPECT_EQ(DecodeOctal("/mnt/my\\040disk\\134x"), "/mnt/my disk\\x");
  EXPECT_EQ(DecodeOctal("a\\04"), "a\\04");
  EXPECT_EQ(DecodeOctal("a\\999\\"), "a\\999\\");
}

}  // namespace
}  // namespace forewarn::agent
