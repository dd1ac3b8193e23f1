#ifndef FOREWARN_COLLECTOR_HISTORY_HISTORY_STORE_H_
#define FOREWARN_COLLECTOR_HISTORY_HISTORY_STORE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/wire/batch.h"
#include "protos/wire/series.h"

namespace forewarn::history {

// One batch as it becomes durable. Series numbers are the endpoint's own,
// dense from 0, as DefineSeries gave them.
struct EndpointBatch {
  uint32_t endpoint = 0;  // its number in the registry
  wire::Batch batch;
};

struct Sample {
  absl::Time time;
  double value = 0;
};

// How coarse: each keeps what its samples were at most, at least and on
// average, so that peaks stay.
enum class RollupLevel : uint8_t { kFiveMinutes, kHour };

struct Rollup {
  absl::Time time;  // where it begins
  double min = 0;
  double max = 0;
  double mean = 0;
  uint32_t count = 0;  // at least 1
};

struct SeriesRecord {
  uint32_t series = 0;
  wire::SeriesDefinition definition;
};

// Keeps samples. Thread-safe; writes of one endpoint come from one thread.
// Errors: kResourceExhausted disk full, kDataLoss a checksum failed,
// kUnavailable read-only or i/o error; nothing was kept then.
class HistoryStore {
 public:
  virtual ~HistoryStore() = default;

  // Series of an endpoint, by number.
  virtual absl::StatusOr<std::vector<SeriesRecord>> LoadSeries(
      uint32_t endpoint) = 0;

  // New series and batches become durable together, with the high-water mark
  // of each (endpoint, run): one synced write. A batch at or under its mark is
  // left out.
  virtual absl::Status Append(
      absl::Span<const std::pair<uint32_t, SeriesRecord>> new_series,
      absl::Span<const EndpointBatch> batches) = 0;

  // Highest durable sequence of the run, 0 if none.
  virtual absl::StatusOr<uint64_t> HighWater(uint32_t endpoint,
                                             const wire::RunId& run) = 0;

  // Samples of one series in [from, to), oldest first, without repeats.
  virtual absl::StatusOr<std::vector<Sample>> Query(uint32_t endpoint,
                                                    uint32_t series,
                                                    absl::Time from,
                                                    absl::Time to) = 0;

  // Rollups of one series that begin in [from, to), oldest first; of a time
  // that is not yet rolled up, made from its samples.
  virtual absl::StatusOr<std::vector<Rollup>> QueryRollups(uint32_t endpoint,
                                                           uint32_t series,
                                                           RollupLevel level,
                                                           absl::Time from,
                                                           absl::Time to) = 0;

  // Every tick of an endpoint from `from` on, oldest first: for feeding
  // detectors after a restart.
  virtual absl::Status Replay(
      uint32_t endpoint, absl::Time from,
      const std::function<void(const wire::Tick&)>& accept) = 0;

  // The latest state of an endpoint's detectors, opaque here. After a crash an
  // older one may be found, or none: what follows it is in Replay.
  virtual absl::Status KeepState(uint32_t endpoint,
                                 absl::string_view state) = 0;
  virtual absl::StatusOr<std::string> LoadState(uint32_t endpoint) = 0;

  // Events of an endpoint in [from, to), newest first, at most `limit`.
  virtual absl::StatusOr<std::vector<v1::Event>> Events(uint32_t endpoint,
                                                        absl::Time from,
                                                        absl::Time to,
                                                        size_t limit) = 0;

  // Shortens the log, rolls up what is due, and drops what is older than its
  // retention or over the size. Called now and then by a background thread.
  virtual absl::Status Maintain(absl::Time now) = 0;

  // Writes out what waits in memory and brings it into its final form. Costs
  // as much as the maintenance of hours; for before a backup.
  virtual absl::Status Flush() = 0;
};

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_HISTORY_STORE_H_
