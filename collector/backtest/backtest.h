#ifndef FOREWARN_COLLECTOR_BACKTEST_BACKTEST_H_
#define FOREWARN_COLLECTOR_BACKTEST_BACKTEST_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::backtest {

struct BacktestOptions {
  // A CSV file, or a directory of which every *.csv below is one endpoint.
  std::string input;
  std::string rules_file;  // added to the shipped rules; empty = none
  // Where results go; empty = not wanted. For a directory as input, `scores`
  // is a directory of the same layout.
  std::string scores;
  std::string symptoms;
  std::string tickets;
  v1::EndpointClass endpoint_class = v1::ENDPOINT_CLASS_SERVER;
  // Threads, each with a file of its own; 0 for as many as there are cores.
  // What is written does not hang on it.
  unsigned jobs = 0;
  // Told after each file, in their order, from one thread; may be empty.
  std::function<void(size_t done, size_t files)> progress;
};

struct BacktestReport {
  size_t endpoints = 0;  // files that were read to their end
  size_t rows = 0;
  size_t skipped_rows = 0;  // time did not advance
  size_t samples = 0;
  size_t symptoms = 0;  // INFO counted in
  size_t tickets = 0;
  // "file:line: what": files that could not be read to their end, and rows
  // that were left out. The other files are done all the same.
  std::vector<std::string> problems;
};

// Feeds recorded series to the detectors and the correlation that judge live
// endpoints, and writes what they say.
//
// Input    A header; the first column `timestamp` (RFC 3339, "YYYY-MM-DD
//          hh:mm:ss" as UTC, or Unix seconds), every other column a series:
//          a metric of the catalogue, with attributes as
//          metric{key=value,key=value}, or any other name for a gauge. An
//          empty cell or nan is a missing sample.
// Output   scores: timestamp,value,anomaly_score for one series, else
//          timestamp,anomaly_score,<a score column for each series>; the
//          anomaly_score is the endpoint's novelty (EndpointOddness).
//          symptoms: endpoint,series,detector,rule,opened,cleared,priority,
//          score,predicted_limit_time,message.
//          tickets: ticket,endpoint,opened,closed,priority,title,symptoms.
// Errors   kInvalidArgument: a single file that is bad, a directory without
//          any, rules as RuleSet has them. kNotFound, kPermissionDenied and so
//          on for files. Of several files a bad one is a problem.
absl::StatusOr<BacktestReport> RunBacktest(const BacktestOptions& options);

}  // namespace forewarn::backtest

#endif  // FOREWARN_COLLECTOR_BACKTEST_BACKTEST_H_
