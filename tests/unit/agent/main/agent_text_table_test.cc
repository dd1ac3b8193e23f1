#include "agent/main/text_table.h"
#include "gtest/gtest.h"

namespace forewarn::agent {
namespace {

TEST(AgentTextTableTest, AlignsColumnsByCharacters) {
  EXPECT_EQ(TextTable({{"A", "B"}, {"blåbær", "1"}, {"x", "2"}}),
            "A       B\n"
            "blåbær  1\n"
            "x       2\n");
}

TEST(AgentTextTableTest, LetsNoNameSteerTheTerminal) {
  EXPECT_EQ(TextTable({{"a\x1b[2J\nb"}}), "a?[2J?b\n");
}

}  // namespace
}  // namespace forewarn::agent
