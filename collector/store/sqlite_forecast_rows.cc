#include "collector/store/sqlite_desk_rows.h"
#include "protos/base/status.h"

namespace forewarn::store {
namespace {

void Count(v1::ForecastOutcome outcome, uint32_t count,
           v1::ForecastTally& tally) {
  switch (outcome) {
    case v1::FORECAST_OUTCOME_HIT:
      return tally.set_hits(count);
    case v1::FORECAST_OUTCOME_EARLY:
      return tally.set_early(count);
    case v1::FORECAST_OUTCOME_LATE:
      return tally.set_late(count);
    case v1::FORECAST_OUTCOME_MISS:
      return tally.set_misses(count);
    case v1::FORECAST_OUTCOME_AVERTED:
      return tally.set_averted(count);
    default:
      return;
  }
}

}  // namespace

absl::Status SqliteForecastRows::KeepScore(
    const correlate::ForecastScore& score) {
  Statement insert = database_.Prepare(
      "INSERT OR IGNORE INTO forecast_scores "
      "(fingerprint, claimed_at, rule, scored_at, outcome) "
      "VALUES (?, ?, ?, ?, ?)");
  insert.Bind(1, score.fingerprint)
      .BindTime(2, score.claimed_at)
      .Bind(3, score.rule)
      .BindTime(4, score.scored_at)
      .Bind(5, int64_t{score.outcome});
  return insert.Run();
}

absl::Status SqliteForecastRows::Prune(absl::Time before) {
  Statement erase =
      database_.Prepare("DELETE FROM forecast_scores WHERE scored_at < ?");
  return erase.BindTime(1, before).Run();
}

absl::StatusOr<std::vector<v1::ForecastTally>> SqliteForecastRows::Tallies(
    absl::Time since) {
  Statement select = database_.Prepare(
      "SELECT rule, outcome, count(*) FROM forecast_scores "
      "WHERE scored_at >= ? GROUP BY rule, outcome ORDER BY rule");
  select.BindTime(1, since);
  std::vector<v1::ForecastTally> tallies;
  while (true) {
    FOREWARN_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return tallies;
    if (tallies.empty() || tallies.back().rule() != select.Text(0)) {
      tallies.emplace_back().set_rule(std::string(select.Text(0)));
    }
    Count(static_cast<v1::ForecastOutcome>(select.Int(1)),
          static_cast<uint32_t>(select.Int(2)), tallies.back());
  }
}

}  // namespace forewarn::store
