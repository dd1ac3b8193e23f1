#ifndef FOREWARN_COLLECTOR_DETECT_ENDPOINT_JUDGE_H_
#define FOREWARN_COLLECTOR_DETECT_ENDPOINT_JUDGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "collector/detect/endpoint_oddness.h"
#include "collector/detect/endpoint_profile.h"
#include "collector/detect/peer_board.h"
#include "collector/detect/rule_set.h"
#include "collector/detect/symptom.h"
#include "protos/wire/batch.h"
#include "protos/wire/series.h"

namespace forewarn::detect {

// All detectors of one endpoint: rules, forecasts, anomalies, peers.
// Deterministic in the samples' own time; no input or output, no clock. The
// same samples give the same edges, live, replayed or back-tested; of peers
// only as far as the board holds what the others measured at that time.
//
// Threads  thread-compatible; the owning shard calls it.
class EndpointJudge {
 public:
  // `rules`, `sink` and `peers` must outlive it. Without `peers` the endpoint
  // is compared with nobody.
  EndpointJudge(EndpointProfile profile, const RuleSet& rules,
                SymptomSink& sink, PeerBoard* peers = nullptr);
  ~EndpointJudge();

  // Before the first sample of a series; numbers are dense from 0 and the
  // endpoint's own.
  void DefineSeries(uint32_t series, const wire::SeriesDefinition& definition);

  // All samples of one moment. Times never go back; a tick that does not
  // advance is ignored.
  void Observe(absl::Time time, absl::Span<const wire::Sample> samples);

  // The endpoint's facts changed; rules are matched anew, standing symptoms
  // stay.
  void SetProfile(EndpointProfile profile);

  // Symptoms that stand at this moment.
  std::vector<v1::Symptom> Standing() const;

  // The state of all detectors, for a judge of the same profile, rules and
  // definitions to go on from; see state_archive.h.
  std::string SaveState() const;
  // kDataLoss: damaged, or made under other rules or definitions; the judge
  // is then of no use any more.
  absl::Status RestoreState(absl::string_view state);

  // Of the last tick; the infinite past before the first.
  absl::Time now() const;

  // How odd the series' latest minute was, 0 to 1; 0 until enough was seen.
  double AnomalyScore(uint32_t series) const;
  // The endpoint as a whole, as of its latest minute.
  const EndpointOddness::Novelty& Novelty() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_ENDPOINT_JUDGE_H_
