#ifndef FOREWARN_PROTOS_WIRE_BATCH_CODEC_H_
#define FOREWARN_PROTOS_WIRE_BATCH_CODEC_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/wire/batch.h"
#include "protos/wire/column_codec.h"
#include "protos/wire/series.h"

namespace forewarn::wire {

// One encoder per stream (or per self-contained record): it remembers which
// series the other end knows and the value before of each. `dictionary` must
// outlive it. Thread-compatible.
class BatchEncoder {
 public:
  explicit BatchEncoder(const SeriesDictionary* dictionary)
      : dictionary_(dictionary) {}

  // `hello_run`: the run that goes without saying on this stream.
  void Encode(const Batch& batch, const RunId& hello_run, v1::Batch& out);

 private:
  struct Column {
    uint32_t id = 0;
    ColumnState state;
    bool known = false;
  };

  const SeriesDictionary* const dictionary_;
  std::vector<Column> columns_;     // by dictionary number
  std::vector<uint32_t> previous_;  // ids of the tick before
  std::vector<std::pair<uint32_t, double>> ordered_;
  uint32_t next_id_ = 0;
  int64_t last_time_ms_ = 0;
};

struct DecodeLimits {
  uint32_t series = 5000;
  uint32_t samples = 100000;  // a batch
  uint32_t ticks = 10000;     // a batch
};

// What DecodeBatch found unfit; the rest of the batch is kept.
struct DroppedSample {
  uint32_t series = 0;  // the stream's own number
  const char* reason = "";
};

// The other end of a BatchEncoder. Every error ends the stream: kDataLoss for
// bytes that make no sense, kInvalidArgument for a bad definition,
// kResourceExhausted beyond the limits. Thread-compatible.
class BatchDecoder {
 public:
  explicit BatchDecoder(DecodeLimits limits) : limits_(limits) {}

  // New definitions are appended to `definitions()`; samples in `out` carry
  // the stream's ids. Samples that are not finite are left out and listed.
  absl::Status Decode(const v1::Batch& in, const RunId& hello_run, Batch& out,
                      std::vector<DroppedSample>& dropped);

  // By stream id, of those that were not taken.
  const std::vector<SeriesDefinition>& definitions() const {
    return definitions_;
  }
  // Hands over what is new; the decoder itself needs a byte of each.
  std::vector<SeriesDefinition> TakeDefinitions() {
    return std::exchange(definitions_, {});
  }

 private:
  const DecodeLimits limits_;
  std::vector<SeriesDefinition> definitions_;
  std::vector<uint8_t> digits_;  // by stream id
  std::vector<ColumnState> states_;
  std::vector<uint32_t> previous_;
  int64_t last_time_ms_ = 0;
};

SeriesDefinition FromProto(const v1::SeriesDefinition& proto);
void ToProto(const SeriesDefinition& definition, v1::SeriesDefinition& proto);

}  // namespace forewarn::wire

#endif  // FOREWARN_PROTOS_WIRE_BATCH_CODEC_H_
