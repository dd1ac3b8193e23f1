#ifndef FOREWARN_COLLECTOR_HISTORY_CHUNK_CODEC_H_
#define FOREWARN_COLLECTOR_HISTORY_CHUNK_CODEC_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "collector/history/history_store.h"
#include "protos/wire/batch.h"

namespace forewarn::history {

// The values of docs/formats/history.md. Both decode errors are kDataLoss.

// A batch of one endpoint, all its ticks; `digits` by series number.
std::string EncodeTicks(absl::Span<const wire::Tick> ticks,
                        absl::Span<const uint8_t> digits);
absl::Status DecodeTicks(absl::string_view bytes,
                         absl::Span<const uint8_t> digits,
                         std::vector<wire::Tick>& ticks);

// A run of samples of one series: times by difference of differences, values
// as on the wire.
std::string EncodeChunk(absl::Span<const Sample> samples, uint32_t digits);
// Appends to `samples`.
absl::Status DecodeChunk(absl::string_view bytes, uint32_t digits,
                         std::vector<Sample>& samples);

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_CHUNK_CODEC_H_
