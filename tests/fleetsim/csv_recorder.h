#ifndef FOREWARN_TESTS_FLEETSIM_CSV_RECORDER_H_
#define FOREWARN_TESTS_FLEETSIM_CSV_RECORDER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "tests/fleetsim/machine.h"
#include "tests/fleetsim/mishap.h"

namespace forewarn::fleetsim {

// Writes, below `directory`, one <class>/<host>.csv for each machine as
// `forewarn-collector backtest` reads it, and truth.csv: a row for each member
// of each mishap with the Unix seconds at which it began, was noticed and
// ended (empty: never). Errors name the file.
absl::Status RecordFleet(absl::Span<const Machine> fleet,
                         std::vector<Mishap>& mishaps, absl::Time start,
                         Minute length, const std::string& directory,
                         const std::function<void(Minute)>& progress);

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_CSV_RECORDER_H_
