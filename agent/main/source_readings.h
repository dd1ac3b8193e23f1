#ifndef FOREWARN_AGENT_MAIN_SOURCE_READINGS_H_
#define FOREWARN_AGENT_MAIN_SOURCE_READINGS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/sampler/source_thread.h"
#include "agent/sources/source.h"
#include "protos/base/clock.h"

namespace forewarn::agent {

// What one source gave.
struct SourceReadings {
  std::string source;
  absl::Status status;  // of the last reading
  // The latest of each series.
  std::vector<KeptReadings::Reading> readings;
};

// Reads all sources `times` times, `pause` apart, those that may block beside
// one another; one that takes longer than `patience` is given up with
// kDeadlineExceeded. After that has happened the process must end without
// destructors: `*hung` is then set.
std::vector<SourceReadings> ReadSources(
    std::vector<std::unique_ptr<Source>> sources, base::Clock& clock, int times,
    absl::Duration pause, absl::Duration patience, bool* hung);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_MAIN_SOURCE_READINGS_H_
