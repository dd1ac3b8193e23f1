// Values of the history database.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "collector/history/chunk_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data + 1),
                                size - 1);
  const uint32_t digits = data[0] % 11 == 10 ? 255 : data[0] % 11;
  std::vector<forewarn::history::Sample> samples;
  forewarn::history::DecodeChunk(bytes, digits, samples).IgnoreError();
  const std::vector<uint8_t> all(40, static_cast<uint8_t>(digits));
  std::vector<forewarn::wire::Tick> ticks;
  forewarn::history::DecodeTicks(bytes, all, ticks).IgnoreError();
  return 0;
}
