#include "collector/correlate/forecast_record.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "collector/correlate/memory_incidents.h"
#include "gtest/gtest.h"
#include "tests/support/memory_forecasts.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/collector/correlate/symptom_maker.h"

namespace forewarn::correlate {
namespace {

using ::forewarn::testing::Cleared;
using ::forewarn::testing::kNoon;
using ::forewarn::testing::MemoryForecasts;
using ::forewarn::testing::Opened;
using ::forewarn::testing::SymptomMaker;
using ::forewarn::testing::Updated;
using Kind = detect::SymptomEdge::Kind;

v1::Symptom Forecast(int endpoint = 0, const std::string& rule = "mem_leak") {
  return SymptomMaker{.endpoint = absl::StrCat("e", endpoint),
                      .rule = rule,
                      .priority = v1::P2,
                      .detector = v1::DETECTOR_KIND_FORECAST}
      .Make();
}

class ForecastRecordTest : public ::testing::Test {
 protected:
  void Score(v1::ForecastOutcome outcome, int times) {
    for (int i = 0; i < times; ++i) {
      detect::SymptomEdge edge{Kind::kScored, Forecast(i), outcome};
      FOREWARN_EXPECT_OK(record_.Score(edge, kNoon));
    }
  }
  v1::Priority Tempered(detect::SymptomEdge edge) {
    record_.Temper(edge);
    return edge.symptom.priority();
  }
  MemoryForecasts book_;
  MemoryIncidents incidents_;
  ForecastRecord record_{book_, incidents_};
};

TEST_F(ForecastRecordTest, AFewWrongOnesProveNothing) {
  Score(v1::FORECAST_OUTCOME_MISS, 9);
  EXPECT_EQ(Tempered(Opened(Forecast())), v1::P2);
}

TEST_F(ForecastRecordTest, ARuleThatProvesPoorIsEvidenceOnlyAndSaysSo) {
  Score(v1::FORECAST_OUTCOME_HIT, 2);
  Score(v1::FORECAST_OUTCOME_MISS, 10);
  detect::SymptomEdge edge = Opened(Forecast());
  record_.Temper(edge);
  EXPECT_EQ(edge.symptom.priority(), v1::INFO);
  EXPECT_EQ(edge.symptom.note().key(), "symptom.note.poor_forecast");
  EXPECT_EQ(edge.symptom.note().parameters(0).quantity().value(), 2);
  EXPECT_EQ(edge.symptom.note().parameters(1).quantity().value(), 12);
  EXPECT_EQ(Tempered(Opened(Forecast(0, "disk_fill"))), v1::P2);
}

TEST_F(ForecastRecordTest, WhatStoodBeforeKeepsItsWeight) {
  EXPECT_EQ(Tempered(Opened(Forecast())), v1::P2);
  Score(v1::FORECAST_OUTCOME_MISS, 12);
  EXPECT_EQ(Tempered(Updated(Forecast(), kNoon, v1::P2)), v1::P2);
  EXPECT_EQ(Tempered(Opened(Forecast(1))), v1::INFO);
  EXPECT_EQ(Tempered(Updated(Forecast(1), kNoon, v1::P2)), v1::INFO);
}

TEST_F(ForecastRecordTest, ARuleThatGetsBetterOpensTicketsAgain) {
  Score(v1::FORECAST_OUTCOME_MISS, 12);
  EXPECT_EQ(Tempered(Opened(Forecast(1))), v1::INFO);
  EXPECT_EQ(Tempered(Cleared(Forecast(1), kNoon)), v1::INFO);
  Score(v1::FORECAST_OUTCOME_HIT, 12);
  EXPECT_EQ(Tempered(Opened(Forecast(1))), v1::P2);
}

TEST_F(ForecastRecordTest, ARestartRemembers) {
  Score(v1::FORECAST_OUTCOME_MISS, 12);
  ForecastRecord after(book_, incidents_);
  FOREWARN_ASSERT_OK(after.Load(kNoon));
  detect::SymptomEdge edge = Opened(Forecast());
  after.Temper(edge);
  EXPECT_EQ(edge.symptom.priority(), v1::INFO);
}

TEST_F(ForecastRecordTest, WhatStandsOverARestartIsAsItWas) {
  Score(v1::FORECAST_OUTCOME_MISS, 12);
  detect::SymptomEdge evidence = Opened(Forecast(1));
  record_.Temper(evidence);
  IncidentChange noted;
  noted.kind = IncidentChange::Kind::kNoted;
  noted.symptoms = {evidence.symptom, Forecast(2)};
  FOREWARN_ASSERT_OK(incidents_.Accept(noted));
  ForecastRecord after(book_, incidents_);
  FOREWARN_ASSERT_OK(after.Load(kNoon));
  for (const int endpoint : {1, 2}) {
    detect::SymptomEdge edge{Kind::kStanding, Forecast(endpoint)};
    after.Temper(edge);
    EXPECT_EQ(edge.symptom.priority(), endpoint == 1 ? v1::INFO : v1::P2);
  }
}

TEST_F(ForecastRecordTest, WhatOpenedWhileNobodyLookedIsNew) {
  Score(v1::FORECAST_OUTCOME_MISS, 12);
  // Nothing of it is in the desk, or only a spell that is over.
  EXPECT_EQ(Tempered({Kind::kStanding, Forecast(1)}), v1::INFO);
  v1::Symptom over = Forecast(2);
  *over.mutable_cleared_at() = over.opened_at();
  over.mutable_note()->set_key("symptom.note.poor_forecast");
  IncidentChange noted;
  noted.kind = IncidentChange::Kind::kNoted;
  noted.symptoms = {over};
  FOREWARN_ASSERT_OK(incidents_.Accept(noted));
  Score(v1::FORECAST_OUTCOME_HIT, 30);
  EXPECT_EQ(Tempered({Kind::kStanding, Forecast(2)}), v1::P2);
}

TEST_F(ForecastRecordTest, OnlyForecastsAreTempered) {
  Score(v1::FORECAST_OUTCOME_MISS, 12);
  v1::Symptom rule = Forecast();
  rule.set_detector(v1::DETECTOR_KIND_RULE);
  EXPECT_EQ(Tempered(Opened(rule)), v1::P2);
}

TEST(WeighTest, HalfRightOfManyIsNotPoor) {
  v1::ForecastTally tally;
  tally.set_hits(20);
  tally.set_misses(20);
  Weigh(tally);
  EXPECT_DOUBLE_EQ(tally.precision(), 0.5);
  EXPECT_FALSE(tally.evidence_only());
  tally.set_misses(60);
  Weigh(tally);
  EXPECT_TRUE(tally.evidence_only());
}

}  // namespace
}  // namespace forewarn::correlate
