#include "collector/history/chunk_codec.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protos/base/status.h"
#include "protos/wire/column_codec.h"

namespace forewarn::history {
namespace {

using wire::AppendVarint;
using wire::ColumnState;
using wire::ReadVarint;

constexpr uint64_t kTicksVersion = 1;
constexpr uint64_t kChunkVersion = 1;

void AppendSigned(int64_t value, std::string& out) {
  AppendVarint(wire::ZigZag(value), out);
}

absl::Status ReadSigned(absl::string_view& in, int64_t& value) {
  uint64_t code = 0;
  FOREWARN_RETURN_IF_ERROR(ReadVarint(in, code));
  value = wire::UnZigZag(code);
  return absl::OkStatus();
}

absl::Status Expect(absl::string_view& in, uint64_t version,
                    absl::string_view what) {
  uint64_t found = 0;
  FOREWARN_RETURN_IF_ERROR(ReadVarint(in, found));
  if (found != version) {
    return absl::DataLossError(
        absl::StrCat(what, ": version ", found, ", this program knows ",
                     version));
  }
  return absl::OkStatus();
}

// Wraps instead of overflowing on damaged bytes.
int64_t Add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) +
                              static_cast<uint64_t>(b));
}

}  // namespace

std::string EncodeTicks(absl::Span<const wire::Tick> ticks,
                        absl::Span<const uint8_t> digits) {
  std::string out;
  AppendVarint(kTicksVersion, out);
  AppendVarint(ticks.size(), out);
  std::vector<ColumnState> states(digits.size());
  std::vector<std::pair<uint32_t, double>> ordered;
  int64_t last_ms = 0;
  for (const wire::Tick& tick : ticks) {
    const int64_t ms = absl::ToUnixMillis(tick.time);
    AppendSigned(ms - last_ms, out);
    last_ms = ms;
    ordered.clear();
    for (const wire::Sample& sample : tick.samples) {
      ordered.emplace_back(sample.series, sample.value);
    }
    std::stable_sort(
        ordered.begin(), ordered.end(),
        [](const auto& a, const auto& b) { return a.first < b.first; });
    AppendVarint(ordered.size(), out);
    uint32_t next = 0;
    for (const auto& [series, value] : ordered) {
      // 0 for the series after the last one: one byte, mostly.
      AppendVarint(series - next, out);
      next = series + 1;
      wire::EncodeValue(value, digits[series], states[series], out);
    }
  }
  return out;
}

absl::Status DecodeTicks(absl::string_view bytes,
                         absl::Span<const uint8_t> digits,
                         std::vector<wire::Tick>& ticks) {
  FOREWARN_RETURN_IF_ERROR(Expect(bytes, kTicksVersion, "batch record"));
  uint64_t count = 0;
  FOREWARN_RETURN_IF_ERROR(ReadVarint(bytes, count));
  std::vector<ColumnState> states(digits.size());
  int64_t ms = 0;
  for (uint64_t t = 0; t < count; ++t) {
    int64_t delta = 0;
    uint64_t samples = 0;
    FOREWARN_RETURN_IF_ERROR(ReadSigned(bytes, delta));
    FOREWARN_RETURN_IF_ERROR(ReadVarint(bytes, samples));
    if (samples > bytes.size()) {
      return absl::DataLossError("batch record: more samples than bytes");
    }
    ms = Add(ms, delta);
    wire::Tick tick;
    tick.time = absl::FromUnixMillis(ms);
    tick.samples.reserve(samples);
    uint64_t next = 0;
    for (uint64_t i = 0; i < samples; ++i) {
      uint64_t gap = 0;
      FOREWARN_RETURN_IF_ERROR(ReadVarint(bytes, gap));
      if (gap >= digits.size() || next + gap >= digits.size()) {
        return absl::DataLossError("batch record: unknown series");
      }
      const auto series = static_cast<uint32_t>(next + gap);
      next = series + 1;
      double value = 0;
      FOREWARN_RETURN_IF_ERROR(
          wire::DecodeValue(bytes, digits[series], states[series], value));
      tick.samples.push_back({series, value});
    }
    ticks.push_back(std::move(tick));
  }
  if (!bytes.empty()) {
    return absl::DataLossError("batch record: bytes left over");
  }
  return absl::OkStatus();
}

std::string EncodeChunk(absl::Span<const Sample> samples, uint32_t digits) {
  std::string out;
  AppendVarint(kChunkVersion, out);
  AppendVarint(samples.size(), out);
  ColumnState state;
  int64_t last_ms = 0;
  int64_t last_step = 0;
  for (const Sample& sample : samples) {
    const int64_t ms = absl::ToUnixMillis(sample.time);
    AppendSigned(ms - last_ms - last_step, out);
    last_step = ms - last_ms;
    last_ms = ms;
    wire::EncodeValue(sample.value, digits, state, out);
  }
  return out;
}

absl::Status DecodeChunk(absl::string_view bytes, uint32_t digits,
                         std::vector<Sample>& samples) {
  FOREWARN_RETURN_IF_ERROR(Expect(bytes, kChunkVersion, "chunk"));
  uint64_t count = 0;
  FOREWARN_RETURN_IF_ERROR(ReadVarint(bytes, count));
  if (count > bytes.size()) {
    return absl::DataLossError("chunk: more samples than bytes");
  }
  samples.reserve(samples.size() + count);
  ColumnState state;
  int64_t ms = 0;
  int64_t step = 0;
  for (uint64_t i = 0; i < count; ++i) {
    int64_t change = 0;
    FOREWARN_RETURN_IF_ERROR(ReadSigned(bytes, change));
    step = Add(step, change);
    ms = Add(ms, step);
    double value = 0;
    FOREWARN_RETURN_IF_ERROR(wire::DecodeValue(bytes, digits, state, value));
    samples.push_back({absl::FromUnixMillis(ms), value});
  }
  if (!bytes.empty()) return absl::DataLossError("chunk: bytes left over");
  return absl::OkStatus();
}

}  // namespace forewarn::history
