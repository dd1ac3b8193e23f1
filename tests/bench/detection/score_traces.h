#ifndef FOREWARN_TESTS_BENCH_DETECTION_SCORE_TRACES_H_
#define FOREWARN_TESTS_BENCH_DETECTION_SCORE_TRACES_H_

#include <string>

#include "absl/status/status.h"

namespace forewarn::bench {

// A series that may run into a limit.
struct LimitTrace {
  std::string input;
  std::string kind;       // what is measured
  std::string limit;      // as in the file
  std::string direction;  // up or down
};

// Feeds one trace to a judge with the shipped rule for its kind, the value
// scaled to the rule's limit; a kind without one gets a forecast of default
// levels. Writes its tickets: ticket,time,failure_time,event.
absl::Status ScoreTrace(const LimitTrace& trace, const std::string& output);

}  // namespace forewarn::bench

#endif  // FOREWARN_TESTS_BENCH_DETECTION_SCORE_TRACES_H_
