#include "tests/scenarios/scenario.h"

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/sources/source_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/wire/metric_catalog.h"

namespace forewarn::scenarios {
namespace {

struct Pack {
  detect::RuleSet rules;
  std::vector<std::string> rule_errors;
  std::vector<Scenario> scenarios;
  std::vector<std::string> scenario_errors;
};

const Pack& ThePack() {
  static const Pack* const pack = [] {
    auto* made = new Pack;
    made->rule_errors = detect::RuleSet::Load("", {}, made->rules);
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(
             absl::StrCat(FOREWARN_SOURCE_DIR, "/tests/scenarios"))) {
      if (entry.path().extension() == ".yaml") files.insert(entry.path());
    }
    for (const std::string& file : files) {
      for (Scenario& scenario : ReadScenarios(file, made->scenario_errors)) {
        made->scenarios.push_back(std::move(scenario));
      }
    }
    return made;
  }();
  return *pack;
}

std::vector<std::string> RuleIds() {
  std::vector<std::string> ids;
  for (const v1::Rule& rule : ThePack().rules.rules()) ids.push_back(rule.id());
  return ids;
}

// Every signal that a rule reads.
std::vector<v1::Signal> SignalsOf(const v1::Rule& rule) {
  std::vector<v1::Signal> signals = {rule.signal()};
  for (const v1::Condition& condition : rule.and_()) {
    signals.push_back(condition.signal());
  }
  for (const v1::Level& level : rule.levels()) {
    for (const v1::Condition& condition : level.and_()) {
      signals.push_back(condition.signal());
    }
  }
  if (rule.forecast().has_limit_signal()) {
    signals.push_back(rule.forecast().limit_signal());
  }
  for (size_t i = 0; i < signals.size(); ++i) {
    if (!signals[i].has_divided_by()) continue;
    v1::Signal divisor = signals[i].divided_by();
    signals.push_back(std::move(divisor));
  }
  return signals;
}

class ShippedRule : public ::testing::TestWithParam<std::string> {
 protected:
  void RunAll(Kind kind) {
    int ran = 0;
    for (const Scenario& scenario : ThePack().scenarios) {
      if (scenario.rule != GetParam() || scenario.kind != kind) continue;
      ++ran;
      const std::string wrong = RunScenario(scenario, ThePack().rules);
      EXPECT_TRUE(wrong.empty())
          << "tests/scenarios/" << scenario.place << ": " << GetParam() << " "
          << wrong;
    }
    EXPECT_GE(ran, 1) << GetParam() << " has no such scenario";
  }
};

TEST_P(ShippedRule, FiresInTimeWithItsPriority) { RunAll(Kind::kFires); }
TEST_P(ShippedRule, StaysSilentOnLookAlikes) { RunAll(Kind::kLookAlike); }
TEST_P(ShippedRule, ClearsWhenTheFaultIsGone) { RunAll(Kind::kClears); }

INSTANTIATE_TEST_SUITE_P(Pack, ShippedRule, ::testing::ValuesIn(RuleIds()),
                         [](const auto& one) { return one.param; });

TEST(RulePackTest, OpensNoTicketOnHealthyMachines) {
  int days = 0;
  for (const Scenario& scenario : ThePack().scenarios) {
    if (scenario.kind != Kind::kQuiet) continue;
    ++days;
    EXPECT_EQ(RunScenario(scenario, ThePack().rules), "")
        << "tests/scenarios/" << scenario.place;
  }
  EXPECT_GE(days, 3);
}

TEST(RulePackTest, LoadsWithoutErrors) {
  EXPECT_THAT(ThePack().rule_errors, ::testing::IsEmpty());
}

TEST(RulePackTest, HasAtLeastSixtyRules) {
  EXPECT_GE(ThePack().rules.rules().size(), 60u);
}

TEST(RulePackTest, AllScenariosAreReadable) {
  EXPECT_THAT(ThePack().scenario_errors, ::testing::IsEmpty());
}

TEST(RulePackTest, EveryRuleHasItsThreeScenarios) {
  std::map<std::string, std::set<Kind>> kinds;
  for (const Scenario& scenario : ThePack().scenarios) {
    if (scenario.kind != Kind::kQuiet) {
      kinds[scenario.rule].insert(scenario.kind);
    }
  }
  for (const std::string& id : RuleIds()) {
    EXPECT_EQ(kinds[id].size(), 3u)
        << id << " lacks one of fires, look_alike, clears in tests/scenarios";
  }
}

TEST(RulePackTest, EveryScenarioIsOfAShippedRule) {
  for (const Scenario& scenario : ThePack().scenarios) {
    if (scenario.kind == Kind::kQuiet) continue;
    EXPECT_NE(ThePack().rules.Find(scenario.rule), nullptr)
        << scenario.place << ": no rule " << scenario.rule;
  }
}

// A rule that looks at a series nobody sends would seem to work for ever.
TEST(RulePackTest, EverySignalIsOneThatAnAgentSourceEmits) {
  const agent::HostFiles files(
      absl::StrCat(FOREWARN_SOURCE_DIR, "/tests/fixtures/hosts"));
  const agent::AgentStats stats;
  std::set<std::string> sources;
  for (const auto& source :
       agent::MakeSources(files, v1::AgentConfig(), stats)) {
    sources.insert(std::string(source->name()));
  }
  for (const v1::Rule& rule : ThePack().rules.rules()) {
    for (const v1::Signal& signal : SignalsOf(rule)) {
      const wire::MetricInfo* info = wire::FindMetric(signal.metric());
      ASSERT_NE(info, nullptr)
          << rule.id() << " reads " << signal.metric()
          << ", which is not in the metric catalogue";
      EXPECT_TRUE(sources.contains(info->source))
          << rule.id() << " reads " << signal.metric() << " of the source "
          << info->source << ", which the agent does not have";
    }
  }
}

TEST(RulePackTest, EveryRuleTeachesWhoeverGetsItsTicket) {
  for (const v1::Rule& rule : ThePack().rules.rules()) {
    SCOPED_TRACE(rule.id());
    EXPECT_GE(rule.causes_size(), 2);
    EXPECT_LE(rule.causes_size(), 4);
    EXPECT_GE(rule.steps_size(), 3);
    EXPECT_LE(rule.steps_size(), 6);
    EXPECT_FALSE(rule.article().empty());
    EXPECT_FALSE(rule.basis().empty());
    EXPECT_TRUE(absl::StrContains(
        absl::StrCat(rule.title(), rule.explanation()), "{host}"))
        << "names no endpoint";
    EXPECT_FALSE(absl::StrContains(rule.title(), rule.signal().metric()))
        << "a title is for people, not a metric's name";
  }
}

}  // namespace
}  // namespace forewarn::scenarios
