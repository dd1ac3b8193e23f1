#include "collector/detect/rule_set.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::detect {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// A small rule with some lines replaced or added.
std::string Rule(const std::string& signal, const std::string& rest,
                 const std::string& title = "{host} at {value}") {
  return "rules:\n  - id: mine\n    subsystem: cpu\n    title: \"" + title +
         "\"\n    explanation: text\n    signal: " + signal + "\n    " + rest +
         "\n";
}

const char kBusy[] = "{metric: forewarn.cpu.busy}";
const char kLevels[] = "levels: [{priority: P3, above: 90%, clear: 80%}]";

std::vector<std::string> Check(const std::string& yaml) {
  v1::RulePack pack;
  return RuleSet::CheckFile(yaml, "f.yaml", pack);
}

TEST(RuleSetTest, TheShippedPackIsGood) {
  RuleSet rules;
  EXPECT_THAT(RuleSet::Load("", {}, rules), IsEmpty());
  EXPECT_FALSE(ShippedRules().empty());
  EXPECT_GE(rules.rules().size(), ShippedRules().size());
}

TEST(RuleSetTest, AGoodRulePasses) {
  EXPECT_THAT(Check(Rule(kBusy, kLevels)), IsEmpty());
}

TEST(RuleSetTest, NamesWhatIsWrongAndWhere) {
  EXPECT_THAT(Check(Rule("{metric: no.such}", kLevels)),
              ElementsAre("f.yaml: rule mine: signal: no metric 'no.such' in "
                          "the catalogue"));
  EXPECT_THAT(Check(Rule("{metric: forewarn.cpu.busy, where: {a: b}}",
                         kLevels)),
              ElementsAre(HasSubstr("has no attribute 'a'")));
  EXPECT_THAT(Check(Rule("{metric: forewarn.cpu.busy, function: average}",
                         kLevels)),
              ElementsAre(HasSubstr("function average needs a window")));
  EXPECT_THAT(
      Check(Rule(kBusy, "levels: [{priority: P3, above: 1, clear: 2}]")),
      ElementsAre(HasSubstr("beyond where it is entered")));
  EXPECT_THAT(
      Check(Rule(kBusy, "levels: [{priority: P3, above: 1, below: 2}]")),
      ElementsAre(HasSubstr("exactly one of above and below")));
  EXPECT_THAT(Check(Rule(kBusy, "quiet: 5min")),
              ElementsAre(HasSubstr("either levels or a forecast")));
  EXPECT_THAT(Check(Rule(kBusy, kLevels, "{nobody}")),
              ElementsAre(HasSubstr("placeholder {nobody}")));
  EXPECT_THAT(Check(Rule(kBusy, kLevels, "{time_left}")),
              ElementsAre(HasSubstr("placeholder {time_left}")));
  EXPECT_THAT(Check(Rule(kBusy, "classes: [toaster]\n    " +
                                    std::string(kLevels))),
              ElementsAre(HasSubstr("no endpoint class 'toaster'")));
  EXPECT_THAT(
      Check(Rule(kBusy,
                 "forecast: {direction: up, levels: [{priority: P3, "
                 "time_left: 4h}]}")),
      ElementsAre(HasSubstr("exactly one of limit and limit_signal")));
}

TEST(RuleSetTest, AllErrorsOfAFileAreToldAtOnce) {
  EXPECT_THAT(Check(Rule("{metric: no.such, function: rate}",
                         "levels: [{priority: P3}]", "{a} {b}")),
              SizeIs(5));
}

TEST(RuleSetTest, ARuleOfTheDirectoryReplacesTheShippedOne) {
  testing::TemporaryFolder folder;
  RuleSet shipped;
  ASSERT_THAT(RuleSet::Load("", {}, shipped), IsEmpty());
  std::string yaml = Rule(kBusy, kLevels);
  const std::string id = shipped.rules()[0].id();
  yaml.replace(yaml.find("mine"), 4, id);
  folder.Write("own.yaml", yaml);
  RuleSet rules;
  ASSERT_THAT(RuleSet::Load(folder.path(), {}, rules), IsEmpty());
  EXPECT_EQ(rules.rules().size(), shipped.rules().size());
  EXPECT_EQ(rules.Find(id)->title(), "{host} at {value}");
}

TEST(RuleSetTest, ErrorsLeaveTheSetAsItWas) {
  testing::TemporaryFolder folder;
  folder.Write("own.yaml", "rules: [{id: x}]");
  RuleSet rules;
  EXPECT_THAT(RuleSet::Load(folder.path(), {}, rules), Not(IsEmpty()));
  EXPECT_THAT(rules.rules(), IsEmpty());
}

TEST(RuleSetTest, AMissingDirectoryIsAnError) {
  RuleSet rules;
  EXPECT_THAT(RuleSet::Load("/no/such/folder", {}, rules),
              Contains(HasSubstr("/no/such/folder")));
}

class OverrideTest : public ::testing::Test {
 protected:
  // The rule "mine" on an endpoint, under the overrides.
  std::vector<v1::Rule> Mine(std::vector<v1::RuleOverride> overrides) {
    testing::TemporaryFolder folder;
    folder.Write("own.yaml", Rule(kBusy, kLevels));
    errors_ = RuleSet::Load(folder.path(), overrides, rules_);
    std::vector<v1::Rule> mine;
    for (v1::Rule& rule : rules_.RulesFor(endpoint_, "forewarn.cpu.busy")) {
      if (rule.id() == "mine") mine.push_back(std::move(rule));
    }
    return mine;
  }

  EndpointProfile endpoint_{.id = "1",
                            .host_name = "web-01",
                            .endpoint_class = v1::ENDPOINT_CLASS_LAPTOP,
                            .site = "oslo",
                            .tags = {"kiosk"}};
  RuleSet rules_;
  std::vector<std::string> errors_;
};

TEST_F(OverrideTest, ChangesWhatItNames) {
  v1::RuleOverride change;
  change.set_rule("mine");
  change.mutable_hold()->set_seconds(60);
  change.set_above(0.7);
  change.set_priority("P1");
  const std::vector<v1::Rule> rules = Mine({change});
  ASSERT_THAT(rules, SizeIs(1));
  EXPECT_EQ(rules[0].levels(0).hold().seconds(), 60);
  EXPECT_EQ(rules[0].levels(0).above(), 0.7);
  EXPECT_EQ(rules[0].levels(0).clear(), 0.7) << "never beyond where it enters";
  EXPECT_EQ(rules[0].levels(0).priority(), "P1");
}

TEST_F(OverrideTest, AStarChangesEveryRule) {
  v1::RuleOverride change;
  change.set_rule("*");
  change.set_disabled(true);
  EXPECT_THAT(Mine({change}), IsEmpty());
}

TEST_F(OverrideTest, ConcernsOnlyEndpointsThatMatchInAll) {
  const auto disabled_for = [this](const char* host, const char* site,
                                   const char* tag, const char* kind) {
    v1::RuleOverride change;
    change.set_rule("mine");
    change.set_disabled(true);
    change.set_host_name(host);
    change.set_site(site);
    change.set_tag(tag);
    change.set_endpoint_class(kind);
    return Mine({change}).empty();
  };
  EXPECT_TRUE(disabled_for("web-01", "oslo", "kiosk", "laptop"));
  EXPECT_TRUE(disabled_for("", "", "kiosk", ""));
  EXPECT_FALSE(disabled_for("web-02", "", "", ""));
  EXPECT_FALSE(disabled_for("", "bergen", "", ""));
  EXPECT_FALSE(disabled_for("", "oslo", "other", ""));
  EXPECT_FALSE(disabled_for("", "", "", "server"));
}

TEST_F(OverrideTest, OfAnUnknownRuleIsAnError) {
  v1::RuleOverride change;
  change.set_rule("nobody");
  Mine({change});
  EXPECT_THAT(errors_, ElementsAre(HasSubstr("there is no such rule")));
}

}  // namespace
}  // namespace forewarn::detect
