#ifndef FOREWARN_COLLECTOR_CORRELATE_INCIDENT_H_
#define FOREWARN_COLLECTOR_CORRELATE_INCIDENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "forewarn/v1/desk.pb.h"

namespace forewarn::correlate {

// One step of an incident's life. The desk applies it in one transaction:
// symptom rows, incident row, ticket, ticket history, outbox.
struct IncidentChange {
  enum class Kind {
    kOpened,    // a new incident: gets its one ticket
    kJoined,    // a further symptom, or one that came back
    kUpdated,   // a symptom's priority or evidence changed
    kCleared,   // a symptom cleared; others may stand
    kAllClear,  // the last one cleared; resolve_after is set
    kReopened,  // a symptom came back within the re-open window
    kResolved,  // quiet long enough: resolve unless a person has begun work
    kNoted,     // INFO symptoms without an incident: kept, no ticket
  };
  Kind kind = Kind::kOpened;
  v1::Incident incident;              // id 0 = new
  std::vector<v1::Symptom> symptoms;  // rows to write; the edge's own first
  v1::Priority priority = v1::PRIORITY_UNSPECIFIED;  // of the ticket
  v1::Text title;         // of the most explanatory symptom
  std::string subsystem;  // of the same
  // The nearest limit of all that presses; the infinite future where none has.
  absl::Time limit_at = absl::InfiniteFuture();
  absl::Time at;  // the symptom's own time
};

// Accepts incident changes; collector/desk implements it. After OK the change
// is durable and `incident.id` is known.
class IncidentSink {
 public:
  virtual ~IncidentSink() = default;
  virtual absl::StatusOr<v1::Incident> Accept(const IncidentChange& change) = 0;

  // Runs `body`; what it has accepted becomes durable together, when this
  // returns OK. After an error nothing of it was kept. Each change in it is
  // accepted or refused by itself. Not to be nested.
  virtual absl::Status Together(absl::FunctionRef<void()> body) {
    body();
    return absl::OkStatus();
  }
};

// What correlation reads back; collector/store implements it.
class IncidentStore {
 public:
  virtual ~IncidentStore() = default;
  virtual absl::StatusOr<std::vector<v1::Incident>> OpenIncidents() = 0;
  virtual absl::StatusOr<std::vector<v1::Symptom>> OpenSymptoms() = 0;
  // The incident that holds this fingerprint: one that is open, or whose
  // ticket is; else the last that held it, if it closed at or after `since`.
  // Where a symptom never weighed more than INFO it holds nothing.
  virtual absl::StatusOr<std::optional<v1::Incident>> LastIncidentOf(
      const std::string& fingerprint, absl::Time since) = 0;
  // The latest row of this fingerprint, in whatever incident or in none.
  virtual absl::StatusOr<std::optional<v1::Symptom>> LatestSymptomOf(
      const std::string& fingerprint) = 0;
  // The latest of each fingerprint.
  virtual absl::StatusOr<std::vector<v1::Symptom>> SymptomsOf(
      uint32_t incident) = 0;
};

}  // namespace forewarn::correlate

#endif  // FOREWARN_COLLECTOR_CORRELATE_INCIDENT_H_
