// Z3: bytes of a batch, through protobuf and the decoder.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "protos/wire/batch_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  forewarn::v1::Batch message;
  if (!message.ParseFromArray(data, static_cast<int>(size))) return 0;
  forewarn::wire::BatchDecoder decoder(
      {.series = 500, .samples = 5000, .ticks = 100});
  forewarn::wire::Batch batch;
  std::vector<forewarn::wire::DroppedSample> dropped;
  // Twice, as the state of a stream is kept from batch to batch.
  for (int i = 0; i < 2; ++i) {
    if (!decoder.Decode(message, {}, batch, dropped).ok()) return 0;
    for (const forewarn::wire::Tick& tick : batch.ticks) {
      for (const forewarn::wire::Sample& sample : tick.samples) {
        if (sample.series >= decoder.definitions().size() ||
            !std::isfinite(sample.value)) {
          std::abort();
        }
      }
    }
    message.clear_definitions();
  }
  return 0;
}
