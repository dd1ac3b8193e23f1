#ifndef FOREWARN_COLLECTOR_CORRELATE_FORECAST_RECORD_H_
#define FOREWARN_COLLECTOR_CORRELATE_FORECAST_RECORD_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "collector/correlate/incident.h"
#include "collector/detect/symptom.h"
#include "forewarn/v1/desk.pb.h"

namespace forewarn::correlate {

// How one forecast came out.
struct ForecastScore {
  std::string rule;
  std::string fingerprint;
  absl::Time claimed_at;  // with the fingerprint: which forecast
  absl::Time scored_at;
  v1::ForecastOutcome outcome = v1::FORECAST_OUTCOME_UNSPECIFIED;
};

// Where scores are kept; collector/desk implements it.
class ForecastBook {
 public:
  virtual ~ForecastBook() = default;
  // A score that is known changes nothing. The rule's tally of scores at or
  // after `since`, with this one.
  virtual absl::StatusOr<v1::ForecastTally> KeepScore(
      const ForecastScore& score, absl::Time since) = 0;
  // Of every rule that has any.
  virtual absl::StatusOr<std::vector<v1::ForecastTally>> Tallies(
      absl::Time since) = 0;
};

// So long a score counts.
inline constexpr absl::Duration kForecastMemory = absl::Hours(24 * 90);

// Fills in `precision` and `evidence_only`: the latter when a rule was scored
// ten times or more and even the upper bound of its precision (Wilson's
// interval, 90 %; JASA 1927) is under one half.
void Weigh(v1::ForecastTally& tally);

// Which rules' forecasts may open tickets, by how the earlier ones came out.
//
// Threads  thread-compatible.
class ForecastRecord {
 public:
  // Both must outlive it.
  ForecastRecord(ForecastBook& book, IncidentStore& incidents)
      : book_(book), incidents_(incidents) {}

  absl::Status Load(absl::Time now);
  // Keeps the outcome of an edge of kind kScored.
  absl::Status Score(const detect::SymptomEdge& edge, absl::Time now);

  // Makes evidence of a forecast by a rule that proved poor, and says so.
  // What stood before the rule proved poor keeps its weight, over a restart
  // too.
  void Temper(detect::SymptomEdge& edge);

 private:
  ForecastBook& book_;
  IncidentStore& incidents_;
  absl::flat_hash_map<std::string, v1::ForecastTally> tallies_;  // by rule
  // Tempered and not cleared yet, with their notes, by fingerprint.
  absl::flat_hash_map<std::string, v1::Text> tempered_;
};

}  // namespace forewarn::correlate

#endif  // FOREWARN_COLLECTOR_CORRELATE_FORECAST_RECORD_H_
