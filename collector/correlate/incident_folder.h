#ifndef FOREWARN_COLLECTOR_CORRELATE_INCIDENT_FOLDER_H_
#define FOREWARN_COLLECTOR_CORRELATE_INCIDENT_FOLDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "collector/correlate/incident.h"
#include "collector/detect/symptom.h"

namespace forewarn::correlate {

struct FoldOptions {
  absl::Duration fold_window = absl::Minutes(2);
  absl::Duration reopen_window = absl::Hours(24);
  absl::Duration quiet = absl::ZeroDuration();  // > 0 overrides the rules'
};

// Folds symptom edges into incidents: live behind the Correlator, offline in
// a back-test. Deterministic in the edges, the times given and what the store
// says; no clock, no thread.
//
// A symptom that weighs more than INFO goes, in this order, to
//   1. the open incident that had it before,
//   2. its last incident, when that closed less than reopen_window ago or its
//      ticket is still open: re-opened; or, if another incident took one of
//      that one's symptoms meanwhile, to the other,
//   3. an open incident of its endpoint: of the same subsystem, unless it is
//      about another thing (mount point, unit) and began at another time; of a
//      related one; or opened within fold_window of it,
//   4. a new incident, which takes related INFO symptoms along.
// INFO symptoms join as evidence (1 and 3) or are noted. When nothing presses
// any more, the longest quiet time of the incident's symptoms must pass before
// it closes.
//
// Errors   the sink's or the store's: the same call may then be repeated, what
//          was accepted counts. kInvalidArgument: an edge without fingerprint
//          or endpoint.
// Threads  thread-compatible.
class IncidentFolder {
 public:
  // `store` must outlive it.
  IncidentFolder(FoldOptions options, IncidentStore& store)
      : options_(options), store_(store) {}

  // Reads what is open. Quiet times begin anew at `now`: nobody watched while
  // this program was down.
  absl::Status Load(absl::Time now);

  // An edge known already (same fingerprint and opened_at) changes nothing.
  absl::Status Fold(const detect::SymptomEdge& edge, absl::Time now,
                    IncidentSink& sink);

  // Folds edges in their order, made durable together, up to the first that is
  // refused; returns how many were taken. After an error none was.
  absl::StatusOr<size_t> FoldTogether(
      absl::Span<const detect::SymptomEdge> edges, absl::Time now,
      IncidentSink& sink);

  // Closes what was quiet long enough.
  absl::Status Tick(absl::Time now, IncidentSink& sink);

  size_t open_incidents() const { return incidents_.size(); }

 private:
  using Named =
      absl::flat_hash_map<std::string, absl::flat_hash_set<std::string>>;
  using Symptoms = absl::btree_map<std::string, v1::Symptom>;
  struct Open {
    v1::Incident incident;
    Symptoms symptoms;  // the latest of each fingerprint
  };

  // Whether `edge` tells of an opening that `known` had already.
  static bool IsReplay(detect::SymptomEdge::Kind kind, const v1::Symptom& known,
                       const v1::Symptom& edge);

  absl::Status ReadOpen(absl::Time now);
  absl::Status Refresh(absl::Time now);
  absl::Status Together(IncidentSink& sink, absl::FunctionRef<void()> body);
  absl::Status Close(uint32_t id, absl::Time now, IncidentSink& sink);

  const v1::Symptom* Current(const std::string& fingerprint,
                             const std::string& endpoint) const;
  const Open* RelatedIncident(const v1::Symptom& symptom) const;

  absl::Status FoldStanding(detect::SymptomEdge::Kind kind,
                            const v1::Symptom& symptom, absl::Time now,
                            IncidentSink& sink);
  absl::Status FoldUpdate(detect::SymptomEdge::Kind kind,
                          const v1::Symptom& known, const v1::Symptom& symptom,
                          absl::Time now, IncidentSink& sink);
  absl::Status FoldClear(const v1::Symptom& symptom, absl::Time now,
                         IncidentSink& sink);
  absl::Status Reconcile(const v1::Symptom& mark, absl::Time now,
                         IncidentSink& sink);

  absl::Status Place(const v1::Symptom& symptom, absl::Time now,
                     IncidentSink& sink);
  absl::Status PlaceInfo(const v1::Symptom& symptom, absl::Time now,
                         IncidentSink& sink);
  // Into the incident that had it, open or closed, or into the open one that
  // holds what it had by now.
  absl::Status Rejoin(const v1::Incident& incident, const v1::Symptom& symptom,
                      absl::Time now, IncidentSink& sink);
  absl::Status OpenNew(const v1::Symptom& symptom, absl::Time now,
                       IncidentSink& sink);
  absl::Status Join(const Open& open, const v1::Symptom& symptom,
                    absl::Time now, IncidentSink& sink);
  absl::Status Reopen(const v1::Incident& incident, const Symptoms& past,
                      const v1::Symptom& symptom, absl::Time now,
                      IncidentSink& sink);
  absl::Status Note(std::vector<v1::Symptom> symptoms, IncidentSink& sink);

  absl::StatusOr<Symptoms> PastOf(const v1::Incident& incident);
  // Another incident that holds one of these fingerprints by now, so that
  // `incident` cannot be re-opened for the one returning.
  absl::StatusOr<std::optional<v1::Incident>> RivalOf(
      const v1::Incident& incident, const Symptoms& past,
      const std::string& returning);

  IncidentChange Describe(IncidentChange::Kind kind, const v1::Incident& before,
                          const Symptoms& known,
                          std::vector<v1::Symptom> changed, absl::Time at,
                          absl::Time now) const;
  absl::Status Apply(const IncidentChange& change, const Symptoms& known,
                     IncidentSink& sink);
  // How long quiet must last, given the longest that symptoms ask for.
  absl::Duration QuietOr(absl::Duration longest) const;
  // An INFO spell may have been evidence elsewhere: the latest counts.
  void Locate(const std::string& fingerprint, uint32_t id);
  void Remember(const v1::Symptom& noted);
  void Forget(const std::string& fingerprint, const std::string& endpoint);

  const FoldOptions options_;
  IncidentStore& store_;
  absl::btree_map<uint32_t, Open> incidents_;
  absl::flat_hash_map<std::string, absl::btree_set<uint32_t>> by_endpoint_;
  // Where the latest symptom of a fingerprint is, if in an open incident.
  absl::flat_hash_map<std::string, uint32_t> where_;
  // By endpoint: symptoms that stand outside open incidents.
  absl::flat_hash_map<std::string, Symptoms> noted_;
  // By endpoint: what detectors named since their restart.
  Named named_;
  // What was accepted was not kept: the store knows what is open.
  bool stale_ = false;
};

}  // namespace forewarn::correlate

#endif  // FOREWARN_COLLECTOR_CORRELATE_INCIDENT_FOLDER_H_
