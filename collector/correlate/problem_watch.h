#ifndef FOREWARN_COLLECTOR_CORRELATE_PROBLEM_WATCH_H_
#define FOREWARN_COLLECTOR_CORRELATE_PROBLEM_WATCH_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "collector/correlate/incident.h"
#include "collector/correlate/problem.h"
#include "collector/correlate/problem_finder.h"
#include "protos/base/clock.h"
#include "protos/base/deadline.h"

namespace forewarn::correlate {

// Stands before the desk: hands incident changes on and looks in what was
// accepted for one cause of many. A problem that cannot be kept holds up no
// incident: it is found again from the store at the next Recover.
//
// Threads  thread-compatible.
class ProblemWatch final : public IncidentSink {
 public:
  // All must outlive it.
  ProblemWatch(IncidentSink& incidents, ProblemSink& problems,
               ProblemFinder& finder, base::Clock& clock)
      : incidents_(incidents),
        problems_(problems),
        finder_(finder),
        clock_(clock) {}

  absl::StatusOr<v1::Incident> Accept(const IncidentChange& change) override;
  absl::Status Together(absl::FunctionRef<void()> body) override;

  // Reads anew what is open, where that is needed: first of all, and when
  // something was not kept; then not more often than every few seconds.
  void Recover();

 private:
  IncidentSink& incidents_;
  ProblemSink& problems_;
  ProblemFinder& finder_;
  base::Clock& clock_;
  bool stale_ = true;
  bool tried_ = false;
  base::Deadline rest_{absl::ZeroDuration()};
};

}  // namespace forewarn::correlate

#endif  // FOREWARN_COLLECTOR_CORRELATE_PROBLEM_WATCH_H_
