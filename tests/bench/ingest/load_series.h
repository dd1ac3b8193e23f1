#ifndef FOREWARN_TESTS_BENCH_INGEST_LOAD_SERIES_H_
#define FOREWARN_TESTS_BENCH_INGEST_LOAD_SERIES_H_

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "protos/wire/batch.h"
#include "protos/wire/batch_codec.h"
#include "protos/wire/series.h"

namespace forewarn::bench {

// One made endpoint: its series, and its batches, coded before they are
// wanted. The mix: 40 % walks of two decimals, 30 % counters, 10 % of full
// entropy, 10 % constant, 10 % in steps of 4 KiB. Every hundredth series makes
// a step that the bench's rule must see.
class LoadEndpoint {
 public:
  LoadEndpoint(uint32_t index, uint32_t series, const wire::RunId& run);
  LoadEndpoint(const LoadEndpoint&) = delete;

  // `ticks` batches of one tick each, from `first` on in steps of `tick`;
  // each a serialized AgentMessage.
  std::vector<std::string> Encode(uint32_t ticks, absl::Time first,
                                  absl::Duration tick);

  // The values of one more tick, by series; for who codes them otherwise.
  std::vector<double> NextValues();
  const wire::SeriesDictionary& dictionary() const { return dictionary_; }

  // What the collector must hold of a series in the end.
  struct Sum {
    uint64_t count = 0;
    uint64_t checksum = 0;
  };
  const std::vector<Sum>& sums() const { return sums_; }
  uint32_t steps() const { return steps_; }

  // A new stream begins: definitions are sent again.
  void BeginStream();

 private:
  enum class Shape { kWalk, kCounter, kEntropy, kConstant, kPages, kStep };

  double Next(uint32_t series);

  const wire::RunId run_;
  std::mt19937_64 random_;
  wire::SeriesDictionary dictionary_;
  std::optional<wire::BatchEncoder> encoder_;
  std::vector<Shape> shapes_;
  std::vector<double> values_;
  std::vector<Sum> sums_;
  uint32_t steps_ = 0;
  uint64_t sequence_ = 0;
};

}  // namespace forewarn::bench

#endif  // FOREWARN_TESTS_BENCH_INGEST_LOAD_SERIES_H_
