#ifndef FOREWARN_TESTS_SUPPORT_MEMORY_FORECASTS_H_
#define FOREWARN_TESTS_SUPPORT_MEMORY_FORECASTS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "collector/correlate/forecast_record.h"

namespace forewarn::testing {

// Scores without a desk; nobody ever worked on a ticket.
class MemoryForecasts : public correlate::ForecastBook {
 public:
  absl::StatusOr<v1::ForecastTally> KeepScore(
      const correlate::ForecastScore& score, absl::Time) override {
    scores.push_back(score);
    v1::ForecastTally& tally = tallies[score.rule];
    tally.set_rule(score.rule);
    if (score.outcome == v1::FORECAST_OUTCOME_HIT) {
      tally.set_hits(tally.hits() + 1);
    } else {
      tally.set_misses(tally.misses() + 1);
    }
    correlate::Weigh(tally);
    return tally;
  }
  absl::StatusOr<std::vector<v1::ForecastTally>> Tallies(absl::Time) override {
    std::vector<v1::ForecastTally> all;
    for (const auto& [rule, tally] : tallies) all.push_back(tally);
    return all;
  }

  std::vector<correlate::ForecastScore> scores;
  std::map<std::string, v1::ForecastTally> tallies;
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_MEMORY_FORECASTS_H_
