#include "collector/cli/text_table.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TextTableTest, AlignsColumnsByWhatTheyShow) {
  TextTable table({"ID", "HOST", "TITLE"});
  table.Add({"1", "web", "first"});
  table.Add({"200", "日本", "second"});
  EXPECT_EQ(table.Render(/*color=*/false, 0),
            "ID   HOST  TITLE\n"
            "1    web   first\n"
            "200  日本  second\n");
}

TEST(TextTableTest, HasNoBlanksAtTheEndOfALine) {
  TextTable table({"A", "B"});
  table.Add({"1", ""});
  EXPECT_EQ(table.Render(false, 0), "A  B\n1\n");
}

TEST(TextTableTest, MakesHostileCellsInert) {
  TextTable table({"HOST"});
  table.Add({"a\x1b[31m\nb"});
  EXPECT_EQ(table.Render(false, 0), "HOST\na\\x1b[31m\\nb\n");
}

TEST(TextTableTest, UsesColoursOnlyWhereTheyAreWanted) {
  TextTable table({"PRIO"});
  table.Add({{"P1", Mark::kBad}});
  EXPECT_THAT(table.Render(true, 0), HasSubstr("\x1b[31mP1\x1b[0m"));
  EXPECT_THAT(table.Render(false, 0), Not(HasSubstr("\x1b")));
}

TEST(TextTableTest, CutsTheLastColumnToTheTerminal) {
  TextTable table({"ID", "TITLE"});
  table.Add({"1", "a rather long title of a ticket"});
  EXPECT_EQ(table.Render(false, 20), "ID  TITLE\n1   a rather long t…\n");
}

}  // namespace
}  // namespace forewarn::cli
