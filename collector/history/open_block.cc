#include "collector/history/open_block.h"

#include <algorithm>

#include "protos/base/status.h"

namespace forewarn::history {
namespace {

using wire::AppendVarint;
using wire::ReadVarint;

absl::Status Damaged(const char* what) {
  return absl::DataLossError(std::string("history rows: ") + what);
}

}  // namespace

absl::string_view OpenBlock::Append(absl::Span<const wire::Tick> ticks,
                                    absl::Span<const uint8_t> digits,
                                    bool reset) {
  const size_t before = rows_.size();
  states_.resize(digits.size());
  for (const wire::Tick& tick : ticks) {
    const bool afresh = reset || !follows_;
    if (afresh) {
      std::fill(states_.begin(), states_.end(), wire::ColumnState());
      last_ms_ = 0;
      follows_ = true;
      reset = false;
    }
    ordered_.clear();
    for (const wire::Sample& sample : tick.samples) {
      ordered_.emplace_back(sample.series, sample.value);
    }
    const auto by_series = [](const auto& a, const auto& b) {
      return a.first < b.first;
    };
    if (!std::is_sorted(ordered_.begin(), ordered_.end(), by_series)) {
      std::stable_sort(ordered_.begin(), ordered_.end(), by_series);
    }
    AppendVarint(ordered_.size() << 1 | (afresh ? 1 : 0), rows_);
    const int64_t ms = absl::ToUnixMillis(tick.time);
    AppendVarint(wire::ZigZag(ms - last_ms_), rows_);
    last_ms_ = ms;
    // Runs of neighbours: mostly one, of all series.
    for (size_t i = 0; i < ordered_.size();) {
      size_t end = i + 1;
      while (end < ordered_.size() &&
             ordered_[end].first == ordered_[end - 1].first + 1) {
        ++end;
      }
      AppendVarint(ordered_[i].first, rows_);
      AppendVarint(end - i, rows_);
      for (; i < end; ++i) {
        const auto [series, value] = ordered_[i];
        wire::EncodeValue(value, digits[series], states_[series], rows_);
      }
    }
    ++ticks_;
  }
  return absl::string_view(rows_).substr(before);
}

void OpenBlock::Rollback(const Mark& mark) {
  rows_.resize(mark.bytes);
  ticks_ = mark.ticks;
  follows_ = false;
}

void OpenBlock::AppendRows(absl::string_view rows, uint32_t ticks) {
  rows_.append(rows.data(), rows.size());
  ticks_ += ticks;
  follows_ = false;
}

absl::Status OpenBlock::Read(absl::Span<const uint8_t> digits,
                             std::vector<wire::Tick>& ticks) const {
  absl::string_view rows = rows_;
  std::vector<wire::ColumnState> states(digits.size());
  int64_t ms = 0;
  bool begun = false;
  while (!rows.empty()) {
    uint64_t head = 0;
    uint64_t code = 0;
    FOREWARN_RETURN_IF_ERROR(ReadVarint(rows, head));
    if ((head & 1) != 0) {
      std::fill(states.begin(), states.end(), wire::ColumnState());
      ms = 0;
      begun = true;
    }
    if (!begun) return Damaged("the first row refers to one before");
    FOREWARN_RETURN_IF_ERROR(ReadVarint(rows, code));
    ms = static_cast<int64_t>(static_cast<uint64_t>(ms) +
                              static_cast<uint64_t>(wire::UnZigZag(code)));
    const uint64_t count = head >> 1;
    if (count > rows.size()) return Damaged("more samples than bytes");
    wire::Tick& tick = ticks.emplace_back();
    tick.time = absl::FromUnixMillis(ms);
    tick.samples.reserve(count);
    while (tick.samples.size() < count) {
      uint64_t first = 0;
      uint64_t length = 0;
      FOREWARN_RETURN_IF_ERROR(ReadVarint(rows, first));
      FOREWARN_RETURN_IF_ERROR(ReadVarint(rows, length));
      if (length == 0 || length > count - tick.samples.size() ||
          first >= digits.size() || length > digits.size() - first) {
        return Damaged("unknown series");
      }
      for (uint64_t series = first; series < first + length; ++series) {
        double value = 0;
        FOREWARN_RETURN_IF_ERROR(
            wire::DecodeValue(rows, digits[series], states[series], value));
        tick.samples.push_back({static_cast<uint32_t>(series), value});
      }
    }
  }
  return absl::OkStatus();
}

void OpenBlock::Clear() {
  std::string().swap(rows_);  // gives the memory back
  ticks_ = 0;
  follows_ = false;
}

}  // namespace forewarn::history
