#include "collector/history/rollup_table.h"

#include <algorithm>
#include <cmath>

#include "protos/base/status.h"
#include "protos/wire/batch.h"

namespace forewarn::history {
namespace {

constexpr uint32_t kColumns = 4;  // min, max, mean, count
constexpr uint32_t kMostDigits = 9;
// A mean is as exact as a hundred samples make it.
constexpr uint32_t kDigitsOfMeans = 2;

uint32_t DigitsOfMean(uint32_t digits) {
  return std::min(digits + kDigitsOfMeans, kMostDigits);
}

double Rounded(double value, uint32_t digits) {
  const double scale = std::pow(10, digits);
  const double scaled = std::round(value * scale);
  return std::abs(scaled) < 1e15 ? scaled / scale : value;
}

}  // namespace

absl::Duration StepOf(RollupLevel level) {
  return level == RollupLevel::kHour ? absl::Hours(1) : absl::Minutes(5);
}

absl::Duration SpanOf(RollupLevel level) {
  return level == RollupLevel::kHour ? absl::Hours(24) : absl::Hours(6);
}

absl::Time FloorTo(absl::Time time, absl::Duration step) {
  return absl::UnixEpoch() + absl::Floor(time - absl::UnixEpoch(), step);
}

RollupTable::RollupTable(RollupLevel level, absl::Time begin)
    : begin_(begin),
      step_(StepOf(level)),
      steps_(static_cast<size_t>(SpanOf(level) / StepOf(level))) {}

void RollupTable::Cell::Add(double low, double high, double total,
                            uint32_t number) {
  min = count == 0 ? low : std::min(min, low);
  max = count == 0 ? high : std::max(max, high);
  sum += total;
  count += number;
}

RollupTable::Cell* RollupTable::Find(uint32_t series, absl::Time time) {
  if (time < begin_ || time >= begin_ + steps_ * step_) return nullptr;
  if (cells_.size() <= series) cells_.resize(series + 1);
  if (cells_[series].empty()) cells_[series].resize(steps_);
  return &cells_[series][static_cast<size_t>((time - begin_) / step_)];
}

void RollupTable::Add(uint32_t series, absl::Time time, double value) {
  if (Cell* const cell = Find(series, time); cell != nullptr) {
    cell->Add(value, value, value, 1);
  }
}

void RollupTable::Add(uint32_t series, const Rollup& finer) {
  if (Cell* const cell = Find(series, finer.time); cell != nullptr) {
    cell->Add(finer.min, finer.max, finer.mean * finer.count, finer.count);
  }
}

void RollupTable::Clear(absl::Time from, absl::Time to) {
  for (std::vector<Cell>& cells : cells_) {
    for (size_t i = 0; i < cells.size(); ++i) {
      const absl::Time time = begin_ + i * step_;
      if (time >= from && time < to) cells[i] = Cell();
    }
  }
}

std::vector<Rollup> RollupTable::Of(uint32_t series) const {
  std::vector<Rollup> rollups;
  if (series >= cells_.size()) return rollups;
  for (size_t i = 0; i < cells_[series].size(); ++i) {
    const Cell& cell = cells_[series][i];
    if (cell.count == 0) continue;
    rollups.push_back({begin_ + i * step_, cell.min, cell.max,
                       cell.sum / cell.count, cell.count});
  }
  return rollups;
}

std::string RollupTable::Seal(absl::Span<const uint8_t> digits) const {
  std::vector<wire::Tick> ticks;
  for (size_t i = 0; i < steps_; ++i) {
    wire::Tick tick{begin_ + i * step_, {}};
    for (uint32_t series = 0; series < cells_.size(); ++series) {
      if (cells_[series].empty() || cells_[series][i].count == 0) continue;
      const Cell& cell = cells_[series][i];
      const uint32_t column = series * kColumns;
      tick.samples.push_back({column, cell.min});
      tick.samples.push_back({column + 1, cell.max});
      tick.samples.push_back(
          {column + 2,
           Rounded(cell.sum / cell.count, DigitsOfMean(digits[series]))});
      tick.samples.push_back({column + 3, static_cast<double>(cell.count)});
    }
    if (!tick.samples.empty()) ticks.push_back(std::move(tick));
  }
  if (ticks.empty()) return "";
  std::vector<uint8_t> columns;
  for (uint32_t series = 0; series < cells_.size(); ++series) {
    const uint8_t own = digits[series];
    columns.insert(columns.end(),
                   {own, own, static_cast<uint8_t>(DigitsOfMean(own)), 0});
  }
  return SealBlock(ticks, columns);
}

absl::Status ReadRollups(const SealedBlock& block, uint32_t series,
                         uint32_t digits, std::vector<Rollup>& rollups) {
  const uint32_t of_column[] = {digits, digits, DigitsOfMean(digits), 0};
  std::vector<Sample> columns[kColumns];
  for (uint32_t i = 0; i < kColumns; ++i) {
    FOREWARN_RETURN_IF_ERROR(
        block.Read(series * kColumns + i, of_column[i], columns[i]));
    if (columns[i].size() != columns[0].size()) {
      return absl::DataLossError("history: columns of a rollup differ");
    }
  }
  for (size_t i = 0; i < columns[0].size(); ++i) {
    rollups.push_back({columns[0][i].time, columns[0][i].value,
                       columns[1][i].value, columns[2][i].value,
                       static_cast<uint32_t>(columns[3][i].value)});
  }
  return absl::OkStatus();
}

}  // namespace forewarn::history
