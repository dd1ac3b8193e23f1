#ifndef FOREWARN_PROTOS_WIRE_BATCH_H_
#define FOREWARN_PROTOS_WIRE_BATCH_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::wire {

// 128 random bits, drawn at each agent start.
using RunId = std::array<uint8_t, 16>;

// `series` is a number of the SeriesDictionary that goes with the batch.
struct Sample {
  uint32_t series = 0;
  double value = 0;
};

// All samples of one moment, ascending by series.
struct Tick {
  absl::Time time;
  std::vector<Sample> samples;
};

// What an agent sends at once, in plain form. Coded by BatchEncoder.
struct Batch {
  RunId run_id{};
  uint64_t sequence = 0;  // dense from 1 within a run
  std::vector<Tick> ticks;
  std::vector<v1::Event> events;
  std::vector<v1::ProcessSnapshot> processes;
  std::vector<v1::Gap> gaps;
};

}  // namespace forewarn::wire

#endif  // FOREWARN_PROTOS_WIRE_BATCH_H_
