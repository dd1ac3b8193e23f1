#include "collector/correlate/symptom_order.h"

#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "tests/unit/collector/correlate/symptom_maker.h"

namespace forewarn::correlate {
namespace {

using ::forewarn::testing::kNoon;
using ::forewarn::testing::SymptomMaker;

TEST(SymptomOrderTest, TheMoreUrgentLeads) {
  EXPECT_TRUE(ExplainsBetter(
      SymptomMaker{.priority = v1::P1, .opened = kNoon + absl::Hours(1)}.Make(),
      SymptomMaker{.priority = v1::P2}.Make()));
}

TEST(SymptomOrderTest, WhatStandsLeadsOverWhatCleared) {
  v1::Symptom cleared = SymptomMaker{.priority = v1::P1}.Make();
  *cleared.mutable_cleared_at() = wire::ToStamp(kNoon);
  EXPECT_TRUE(ExplainsBetter(SymptomMaker{.priority = v1::P4}.Make(), cleared));
}

TEST(SymptomOrderTest, TheEarlierOfEqualsLeads) {
  const v1::Symptom early = SymptomMaker{.rule = "z"}.Make();
  const v1::Symptom late =
      SymptomMaker{.rule = "a", .opened = kNoon + absl::Seconds(1)}.Make();
  EXPECT_TRUE(ExplainsBetter(early, late));
  EXPECT_FALSE(ExplainsBetter(late, early));
}

TEST(SymptomOrderTest, IsStrict) {
  const v1::Symptom one = SymptomMaker{}.Make();
  EXPECT_FALSE(ExplainsBetter(one, one));
}

TEST(SymptomOrderTest, InfoNeverPresses) {
  EXPECT_FALSE(Presses(SymptomMaker{.priority = v1::INFO}.Make()));
  EXPECT_FALSE(
      Presses(SymptomMaker{.priority = v1::PRIORITY_UNSPECIFIED}.Make()));
  EXPECT_TRUE(Presses(SymptomMaker{.priority = v1::P4}.Make()));
}

}  // namespace
}  // namespace forewarn::correlate
