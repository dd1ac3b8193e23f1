#ifndef FOREWARN_COLLECTOR_CORRELATE_PROBLEM_FINDER_H_
#define FOREWARN_COLLECTOR_CORRELATE_PROBLEM_FINDER_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "collector/correlate/incident.h"
#include "collector/correlate/problem.h"
#include "collector/fleet/cohort.h"

namespace forewarn::correlate {

struct ProblemOptions {
  // So many endpoints, and such a share of their cohort or of the fleet, with
  // one symptom that opened within `window`.
  uint32_t fewest = 5;
  double share = 0.03;
  absl::Duration window = absl::Minutes(15);
  // A cause that spreads slowly, such as an update that goes out in rings:
  // only in a cohort, not in the fleet at large.
  double slow_share = 0.15;
  absl::Duration slow_window = absl::Hours(4);
  // Others of the cohort that explains it join so long after the last one:
  // laptops that slept through the night, and the weekend.
  absl::Duration follow_window = absl::Hours(72);
};

// Finds incidents of many endpoints that have one cause.
//
// A symptom is a rule's id (an agent that is lost is one, whatever the class
// of its machine) or an anomaly's metric. What explains a problem is the
// cohort with the highest lift (its share of the members by its share of the
// fleet, as in association rules: Brin et al., SIGMOD 1997) that has at least
// four fifths of the members. An incident joins an open problem with the same
// symptom within hours of the last one (days, if a cohort explains it), or soon
// after it also with one of the same subsystem, if it is of a cohort that may
// explain it; so two causes at once are kept apart.
//
// Errors   the sink's or the store's. What was observed is not lost: Load
//          finds it again.
// Threads  thread-compatible.
class ProblemFinder {
 public:
  // All must outlive it.
  ProblemFinder(ProblemOptions options, ProblemStore& problems,
                IncidentStore& incidents, const fleet::Cohorts& cohorts);

  // Reads what is open, and what opened lately without a problem.
  absl::Status Load(absl::Time now, ProblemSink& sink);

  // After `change` was accepted as `stored`.
  absl::Status Observe(const IncidentChange& change, const v1::Incident& stored,
                       absl::Time now, ProblemSink& sink);

  size_t open_problems() const { return open_.size(); }

 private:
  struct Arrival {  // of a symptom at an endpoint
    absl::Time at;
    std::string endpoint;
    uint32_t incident = 0;
    v1::Priority priority = v1::PRIORITY_UNSPECIFIED;
    std::string subsystem;
    v1::Text title;
    std::vector<fleet::Cohort> cohorts;
  };
  struct Open {
    v1::Problem problem;
    absl::btree_set<std::string> endpoints;
    absl::btree_set<uint32_t> standing;               // incidents
    v1::Priority worst = v1::PRIORITY_UNSPECIFIED;    // told, or unknown
    absl::btree_map<fleet::Cohort, uint32_t> counts;  // of endpoints
  };

  absl::Status Arrive(const std::string& symptom, Arrival arrival,
                      ProblemSink& sink);
  absl::Status Leave(uint32_t incident, absl::Time now, ProblemSink& sink);
  Open* ProblemFor(const std::string& symptom, const Arrival& arrival);
  enum class Fit {
    kNone,
    kAnybody,  // nothing explains the problem: it may befall anybody
    kCohort,   // it is of a cohort that may explain it
  };
  Fit Explains(const Open& open, const Arrival& arrival) const;
  absl::Status Begin(const std::string& symptom, ProblemSink& sink);
  // Of the arrivals, those that together are enough for a problem.
  std::vector<const Arrival*> Enough(const std::deque<Arrival>& arrivals) const;
  // A member's symptom presses more than any before.
  absl::Status Worsen(uint32_t problem, const v1::Symptom& symptom,
                      ProblemSink& sink);
  static absl::Status Close(const Open& open, absl::Time now,
                            ProblemSink& sink);
  void Count(const Arrival& arrival, Open& open) const;
  void Describe(Open& open) const;
  void Forget(absl::Time now);

  const ProblemOptions options_;
  ProblemStore& problems_;
  IncidentStore& incidents_;
  const fleet::Cohorts& cohorts_;
  // Taken when a problem may begin or grow; a minute old at most.
  fleet::Cohorts::Sizes sizes_;
  absl::Time sizes_at_ = absl::InfinitePast();
  absl::btree_map<std::string, std::deque<Arrival>> arrivals_;
  absl::btree_map<uint32_t, Open> open_;
  absl::flat_hash_map<uint32_t, uint32_t> member_of_;  // incident to problem
};

}  // namespace forewarn::correlate

#endif  // FOREWARN_COLLECTOR_CORRELATE_PROBLEM_FINDER_H_
