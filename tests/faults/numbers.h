#ifndef FOREWARN_TESTS_FAULTS_NUMBERS_H_
#define FOREWARN_TESTS_FAULTS_NUMBERS_H_

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "protos/wire/batch.h"
#include "protos/wire/proto_time.h"
#include "protos/wire/series.h"

namespace forewarn::faults {

// Numbered batches of the rooms: a number a second, as a sample and as an
// event.

inline absl::Time TimeOf(uint64_t number) {
  return absl::FromUnixSeconds(1'800'000'000) +
         absl::Seconds(static_cast<int64_t>(number));
}

inline wire::SeriesDefinition NumberSeries() {
  wire::SeriesDefinition definition;
  definition.metric = "hw.fan.speed";
  return definition;
}

inline wire::Batch BatchOf(uint64_t number) {
  wire::Batch batch;
  batch.ticks.push_back({TimeOf(number), {{0, static_cast<double>(number)}}});
  v1::Event event;
  *event.mutable_time() = wire::ToStamp(batch.ticks.back().time);
  event.set_message(absl::StrCat(number));
  batch.events.push_back(std::move(event));
  return batch;
}

// 0: it has none.
inline uint64_t NumberOf(const wire::Batch& batch) {
  if (batch.ticks.empty()) return 0;
  return static_cast<uint64_t>(batch.ticks.front().samples.front().value);
}

}  // namespace forewarn::faults

#endif  // FOREWARN_TESTS_FAULTS_NUMBERS_H_
