#ifndef FOREWARN_TESTS_BENCH_DETECTION_SCORE_SERIES_H_
#define FOREWARN_TESTS_BENCH_DETECTION_SCORE_SERIES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace forewarn::bench {

enum class ScoreFormat {
  kTimestamps,  // timestamp,value,anomaly_score: a line each row
  kRows,        // row,score,alarm: only rows that say anything
};

// Feeds one file of series, in its order, to a judge as a shard has it, and
// writes what the judge says of the endpoint. Without a time column row i is
// at i * step.
absl::Status ScoreSeries(const std::string& input, absl::Duration step,
                         ScoreFormat format, const std::string& output);

}  // namespace forewarn::bench

#endif  // FOREWARN_TESTS_BENCH_DETECTION_SCORE_SERIES_H_
