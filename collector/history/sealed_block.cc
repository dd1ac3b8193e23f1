#include "collector/history/sealed_block.h"

#include <algorithm>

#include "collector/history/packed_column.h"
#include "protos/base/status.h"
#include "protos/wire/column_codec.h"

namespace forewarn::history {
namespace {

using wire::AppendVarint;
using wire::ReadVarint;

constexpr uint64_t kVersion = 1;
// More than any writer makes; a bound for damaged bytes.
constexpr uint64_t kMostTicks = 1 << 20;

absl::Status Damaged(const char* what) {
  return absl::DataLossError(std::string("history block: ") + what);
}

}  // namespace

std::string SealBlock(absl::Span<const wire::Tick> ticks,
                      absl::Span<const uint8_t> digits) {
  std::vector<int64_t> times;
  // Values by series, and in which ticks they are.
  std::vector<std::vector<double>> values(digits.size());
  std::vector<std::vector<uint32_t>> present(digits.size());
  for (uint32_t t = 0; t < ticks.size(); ++t) {
    times.push_back(absl::ToUnixMillis(ticks[t].time));
    for (const wire::Sample& sample : ticks[t].samples) {
      // Of two samples of one moment the first counts.
      std::vector<uint32_t>& of_series = present[sample.series];
      if (!of_series.empty() && of_series.back() == t) continue;
      of_series.push_back(t);
      values[sample.series].push_back(sample.value);
    }
  }
  std::string out;
  AppendVarint(kVersion, out);
  AppendVarint(ticks.size(), out);
  PackIntegers(times, out);
  std::string directory;
  std::string columns;
  uint64_t count = 0;
  uint32_t next = 0;
  for (uint32_t series = 0; series < values.size(); ++series) {
    if (values[series].empty()) continue;
    const size_t begin = columns.size();
    const bool is_whole = values[series].size() == ticks.size();
    columns += static_cast<char>(is_whole ? 0 : 1);
    if (!is_whole) {
      std::string bitmap((ticks.size() + 7) / 8, '\0');
      for (const uint32_t t : present[series]) {
        bitmap[t / 8] = static_cast<char>(bitmap[t / 8] | 1 << (t % 8));
      }
      columns += bitmap;
    }
    PackValues(values[series], digits[series], columns);
    AppendVarint(series - next, directory);
    next = series + 1;
    AppendVarint(columns.size() - begin, directory);
    ++count;
  }
  AppendVarint(count, out);
  out += directory;
  out += columns;
  return out;
}

absl::StatusOr<SealedBlock> SealedBlock::Open(absl::string_view bytes) {
  uint64_t version = 0;
  uint64_t ticks = 0;
  FOREWARN_RETURN_IF_ERROR(ReadVarint(bytes, version));
  FOREWARN_RETURN_IF_ERROR(ReadVarint(bytes, ticks));
  if (version != kVersion) return Damaged("of another version");
  if (ticks == 0 || ticks > kMostTicks) return Damaged("no ticks, or too many");
  SealedBlock block;
  FOREWARN_RETURN_IF_ERROR(UnpackIntegers(bytes, ticks, block.times_));
  uint64_t count = 0;
  FOREWARN_RETURN_IF_ERROR(ReadVarint(bytes, count));
  if (count > bytes.size()) return Damaged("more columns than bytes");
  std::vector<uint64_t> sizes;
  uint64_t next = 0;
  uint64_t total = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t gap = 0;
    uint64_t size = 0;
    FOREWARN_RETURN_IF_ERROR(ReadVarint(bytes, gap));
    FOREWARN_RETURN_IF_ERROR(ReadVarint(bytes, size));
    if (gap > UINT32_MAX || next + gap > UINT32_MAX || size > bytes.size()) {
      return Damaged("directory");
    }
    total += size;
    block.columns_.push_back({static_cast<uint32_t>(next + gap), {}});
    sizes.push_back(size);
    next += gap + 1;
  }
  if (total != bytes.size()) return Damaged("columns and directory differ");
  for (uint64_t i = 0; i < count; ++i) {
    block.columns_[i].bytes = bytes.substr(0, sizes[i]);
    bytes.remove_prefix(sizes[i]);
  }
  return block;
}

absl::Status SealedBlock::Unpack(const Column& column, uint32_t digits,
                                 std::vector<double>& values,
                                 std::vector<uint32_t>& ticks) const {
  absl::string_view bytes = column.bytes;
  if (bytes.empty()) return Damaged("empty column");
  const bool is_whole = bytes.front() == 0;
  bytes.remove_prefix(1);
  const size_t bitmap = is_whole ? 0 : (times_.size() + 7) / 8;
  if (bitmap > bytes.size()) return Damaged("column is truncated");
  for (uint32_t t = 0; t < times_.size(); ++t) {
    if (is_whole || (static_cast<unsigned char>(bytes[t / 8]) >> (t % 8) & 1)) {
      ticks.push_back(t);
    }
  }
  bytes.remove_prefix(bitmap);
  values.reserve(ticks.size());
  return UnpackValues(bytes, ticks.size(), digits, values);
}

absl::Status SealedBlock::Read(uint32_t series, uint32_t digits,
                               std::vector<Sample>& samples) const {
  const auto column = std::lower_bound(
      columns_.begin(), columns_.end(), series,
      [](const Column& a, uint32_t wanted) { return a.series < wanted; });
  if (column == columns_.end() || column->series != series) {
    return absl::OkStatus();
  }
  std::vector<double> values;
  std::vector<uint32_t> ticks;
  FOREWARN_RETURN_IF_ERROR(Unpack(*column, digits, values, ticks));
  for (size_t i = 0; i < values.size(); ++i) {
    samples.push_back({absl::FromUnixMillis(times_[ticks[i]]), values[i]});
  }
  return absl::OkStatus();
}

absl::Status SealedBlock::ReadAll(absl::Span<const uint8_t> digits,
                                  std::vector<wire::Tick>& ticks) const {
  const size_t begin = ticks.size();
  for (const int64_t time : times_) {
    ticks.push_back({absl::FromUnixMillis(time), {}});
    ticks.back().samples.reserve(columns_.size());
  }
  std::vector<double> values;
  std::vector<uint32_t> present;
  for (const Column& column : columns_) {
    if (column.series >= digits.size()) return Damaged("unknown series");
    values.clear();
    present.clear();
    FOREWARN_RETURN_IF_ERROR(
        Unpack(column, digits[column.series], values, present));
    for (size_t i = 0; i < values.size(); ++i) {
      ticks[begin + present[i]].samples.push_back({column.series, values[i]});
    }
  }
  return absl::OkStatus();
}

}  // namespace forewarn::history
