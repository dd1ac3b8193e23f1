#include "collector/detect/threshold_rule.h"

#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace forewarn::detect {
namespace {

using Level = ThresholdRule::Level;

Level Above(double above, double clear, absl::Duration hold, int urgency) {
  Level level;
  level.above = above;
  level.clear = clear;
  level.hold = hold;
  level.urgency = urgency;
  return level;
}

// A rule fed every 10 s.
class Fed {
 public:
  explicit Fed(std::vector<Level> levels,
               absl::Duration arm = absl::ZeroDuration())
      : levels_(std::move(levels)), rule_(levels_, arm) {}

  // Urgency of the verdict, 0 for none.
  int Add(double value, int times = 1) {
    for (int i = 0; i < times; ++i) {
      now_ += absl::Seconds(10);
      rule_.Observe(now_, value, [this](size_t) { return conditions; },
                    may_open, after_gap);
    }
    return rule_.verdict() ? levels_[rule_.verdict()->level].urgency : 0;
  }
  ThresholdRule& rule() { return rule_; }
  absl::Time now() const { return now_; }

  std::optional<bool> conditions = true;
  bool may_open = true;
  bool after_gap = false;

 private:
  std::vector<Level> levels_;
  ThresholdRule rule_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST(ThresholdRuleTest, OpensAfterItsHold) {
  Fed fed({Above(0.9, 0.8, absl::Minutes(1), 3)});
  EXPECT_EQ(fed.Add(0.95, 6), 0);
  EXPECT_EQ(fed.Add(0.95), 3);
  EXPECT_EQ(fed.rule().verdict()->since, fed.now() - absl::Minutes(1));
}

TEST(ThresholdRuleTest, ADipRestartsTheHold) {
  Fed fed({Above(0.9, 0.8, absl::Minutes(1), 3)});
  fed.Add(0.95, 6);
  fed.Add(0.85);
  EXPECT_EQ(fed.Add(0.95, 6), 0);
}

TEST(ThresholdRuleTest, StaysUntilTheClearLevel) {
  Fed fed({Above(0.9, 0.8, absl::ZeroDuration(), 3)});
  EXPECT_EQ(fed.Add(0.95), 3);
  EXPECT_EQ(fed.Add(0.85, 100), 3);
  EXPECT_EQ(fed.Add(0.8), 0);
}

TEST(ThresholdRuleTest, ClearsOnlyAfterItsClearHold) {
  Level level = Above(0, 0, absl::ZeroDuration(), 2);
  level.clear_hold = absl::Minutes(1);
  Fed fed({level});
  EXPECT_EQ(fed.Add(1), 2);
  EXPECT_EQ(fed.Add(0, 6), 2);
  EXPECT_EQ(fed.Add(1), 2);
  EXPECT_EQ(fed.Add(0, 6), 2);
  EXPECT_EQ(fed.Add(0), 0);
}

TEST(ThresholdRuleTest, BelowIsTheMirrorImage) {
  Level level;
  level.below = 0.1;
  level.clear = 0.15;
  level.urgency = 3;
  Fed fed({level});
  EXPECT_EQ(fed.Add(0.1), 0);
  EXPECT_EQ(fed.Add(0.09), 3);
  EXPECT_EQ(fed.Add(0.14), 3);
  EXPECT_EQ(fed.Add(0.15), 0);
}

TEST(ThresholdRuleTest, TheMostUrgentLevelWins) {
  Fed fed({Above(0.9, 0.8, absl::ZeroDuration(), 3),
           Above(0.98, 0.92, absl::ZeroDuration(), 2)});
  EXPECT_EQ(fed.Add(0.95), 3);
  EXPECT_EQ(fed.Add(0.99), 2);
  EXPECT_EQ(fed.Add(0.95), 2);
  EXPECT_EQ(fed.Add(0.91), 3);
  EXPECT_EQ(fed.Add(0.5), 0);
}

TEST(ThresholdRuleTest, ConditionsMustHoldAsWell) {
  Fed fed({Above(0.9, 0.8, absl::ZeroDuration(), 3)});
  fed.conditions = false;
  EXPECT_EQ(fed.Add(0.95), 0);
  fed.conditions = true;
  EXPECT_EQ(fed.Add(0.95), 3);
  fed.conditions = false;
  EXPECT_EQ(fed.Add(0.95), 0);
}

TEST(ThresholdRuleTest, AnUnknownConditionChangesNothing) {
  Fed fed({Above(0.9, 0.8, absl::ZeroDuration(), 3)});
  fed.conditions = std::nullopt;
  EXPECT_EQ(fed.Add(0.95), 0);
  fed.conditions = true;
  fed.Add(0.95);
  fed.conditions = std::nullopt;
  EXPECT_EQ(fed.Add(0.95, 50), 3);
}

TEST(ThresholdRuleTest, ArmsOnlyAfterTheGoodSideInThisBoot) {
  Fed fed({Above(0.5, 0.5, absl::ZeroDuration(), 2)}, absl::Minutes(10));
  EXPECT_EQ(fed.Add(1, 200), 0);  // never answered: no fault
  fed.Add(0, 61);
  EXPECT_EQ(fed.Add(1), 2);
  EXPECT_EQ(fed.Add(0), 0);
  fed.rule().Rearm();
  EXPECT_EQ(fed.Add(1, 200), 0);
}

TEST(ThresholdRuleTest, AStandingSymptomOutlivesARestart) {
  Fed fed({Above(0.5, 0.5, absl::ZeroDuration(), 2)}, absl::Minutes(10));
  fed.Add(0, 61);
  EXPECT_EQ(fed.Add(1), 2);
  fed.rule().Rearm();
  EXPECT_EQ(fed.Add(1, 10), 2);
  EXPECT_EQ(fed.Add(0), 0);
}

TEST(ThresholdRuleTest, AGapProvesNothing) {
  Fed fed({Above(0.9, 0.8, absl::Minutes(1), 3)});
  fed.Add(0.95, 6);
  fed.after_gap = true;
  EXPECT_EQ(fed.Add(0.95), 0);
  fed.after_gap = false;
  EXPECT_EQ(fed.Add(0.95, 5), 0);
  EXPECT_EQ(fed.Add(0.95), 3);
}

TEST(ThresholdRuleTest, StaysQuietWhileItMayNotOpen) {
  Fed fed({Above(0.9, 0.8, absl::ZeroDuration(), 3)});
  fed.may_open = false;
  EXPECT_EQ(fed.Add(0.95, 10), 0);
  fed.may_open = true;
  EXPECT_EQ(fed.Add(0.95), 3);
}

}  // namespace
}  // namespace forewarn::detect
