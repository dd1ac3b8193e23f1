#ifndef FOREWARN_COLLECTOR_CORRELATE_PROBLEM_H_
#define FOREWARN_COLLECTOR_CORRELATE_PROBLEM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "forewarn/v1/desk.pb.h"
#include "forewarn/v1/words.pb.h"

namespace forewarn::correlate {

// One step of a problem's life. The desk applies it in one transaction:
// problem row, its ticket, its members' tickets, history, outbox.
struct ProblemChange {
  enum class Kind {
    kOpened,  // a new problem with its first members: gets its one ticket
    kJoined,  // further members
    kClosed,  // no member's incident is open any more
  };
  Kind kind = Kind::kOpened;
  v1::Problem problem;                               // id 0 = new
  std::vector<uint32_t> incidents;                   // that join with this step
  v1::Priority priority = v1::PRIORITY_UNSPECIFIED;  // the worst of them
  v1::Text example;  // title of the first member's symptom
};

// Accepts problem changes; collector/desk implements it. After OK the change
// is durable and `problem.id` is known.
class ProblemSink {
 public:
  virtual ~ProblemSink() = default;
  virtual absl::StatusOr<v1::Problem> AcceptProblem(
      const ProblemChange& change) = 0;
};

// What is read back at a start; collector/store implements it.
class ProblemStore {
 public:
  virtual ~ProblemStore() = default;
  virtual absl::StatusOr<std::vector<v1::Problem>> OpenProblems() = 0;
  // Every incident that ever joined it.
  virtual absl::StatusOr<std::vector<v1::Incident>> MembersOf(
      uint32_t problem) = 0;
};

}  // namespace forewarn::correlate

#endif  // FOREWARN_COLLECTOR_CORRELATE_PROBLEM_H_
