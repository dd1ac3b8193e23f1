#include "collector/detect/rules_document.h"

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::detect {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

RuleSet Shipped() {
  RuleSet rules;
  EXPECT_THAT(RuleSet::Load("", {}, rules), IsEmpty());
  return rules;
}

TEST(RulesDocumentTest, TheDocumentInDocsIsUpToDate) {
  std::ifstream file(absl::StrCat(FOREWARN_SOURCE_DIR, "/docs/rules.md"));
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str() == RulesDocument(Shipped()))
      << "docs/rules.md is not what the rule pack says; write it anew with "
         "forewarn-collector rules-document > docs/rules.md";
}

TEST(RulesDocumentTest, NamesEveryRuleWithItsTitleAndBasis) {
  const RuleSet rules = Shipped();
  const std::string text = RulesDocument(rules);
  for (const v1::Rule& rule : rules.rules()) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("| `", rule.id(), "` | ",
                                             rule.title(), " | ")));
    EXPECT_THAT(text, HasSubstr(rule.basis()));
  }
}

TEST(RulesDocumentTest, SaysConditionsInWords) {
  const std::string text = RulesDocument(Shipped());
  EXPECT_THAT(text, HasSubstr("mean of `forewarn.cpu.busy` over 10 min"));
  EXPECT_THAT(text, HasSubstr("**P3** above 40 % (clears at 20 %) for 30 min"));
  EXPECT_THAT(text, HasSubstr("forecast to 100 %; **P2** under 4 h left"));
  EXPECT_THAT(text, HasSubstr("only once it was good for 10 min"));
}

TEST(RulesDocumentTest, SaysWhatIsNotCovered) {
  const std::string text = RulesDocument(Shipped());
  EXPECT_THAT(text, HasSubstr("## Not yet covered"));
  EXPECT_THAT(text, HasSubstr("win_service_stopped"));
}

}  // namespace
}  // namespace forewarn::detect
