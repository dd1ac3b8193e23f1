#ifndef FOREWARN_COLLECTOR_CORRELATE_CORRELATOR_H_
#define FOREWARN_COLLECTOR_CORRELATE_CORRELATOR_H_

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "collector/correlate/forecast_record.h"
#include "collector/correlate/incident.h"
#include "collector/correlate/problem.h"
#include "collector/correlate/problem_finder.h"
#include "collector/fleet/cohort.h"
#include "collector/detect/symptom.h"
#include "protos/base/clock.h"

namespace forewarn::correlate {

struct CorrelatorOptions {
  absl::Duration fold_window = absl::Minutes(2);
  absl::Duration reopen_window = absl::Hours(24);
  absl::Duration quiet = absl::ZeroDuration();  // > 0 overrides the rules'
  size_t queue_bound = 10000;
  ProblemOptions problems = {};
};

// What it asks and tells beside incidents; all must outlive the correlator.
struct CorrelatorRooms {
  ProblemStore& problems;
  ProblemSink& problem_sink;
  const fleet::Cohorts& cohorts;
  ForecastBook& forecasts;
};

// Folds symptom edges into incidents, and finds the problems of many
// endpoints among these. Edges wait in a bounded queue; Accept
// blocks the shard when it is full, so that no edge is lost. One thread of its
// own between Start and Stop; a change that the desk cannot take (database
// busy, disk full) is retried in order, with back-off, for ever. An edge seen
// before (same fingerprint and opened_at) changes nothing: replays are
// harmless.
class Correlator final : public detect::SymptomSink {
 public:
  // All must outlive it.
  Correlator(CorrelatorOptions options, IncidentStore& store,
             IncidentSink& sink, const CorrelatorRooms& rooms,
             base::Clock& clock);
  ~Correlator() override;

  // Reads what is open from the store, then starts the thread.
  absl::Status Start();
  // Works off what is queued, then ends.
  void Stop();

  void Accept(detect::SymptomEdge edge) override;  // thread-safe

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace forewarn::correlate

#endif  // FOREWARN_COLLECTOR_CORRELATE_CORRELATOR_H_
