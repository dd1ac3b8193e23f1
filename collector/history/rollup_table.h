#ifndef FOREWARN_COLLECTOR_HISTORY_ROLLUP_TABLE_H_
#define FOREWARN_COLLECTOR_HISTORY_ROLLUP_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "collector/history/history_store.h"
#include "collector/history/sealed_block.h"

namespace forewarn::history {

// How long one rollup is, and how many stand in one stored block.
absl::Duration StepOf(RollupLevel level);
absl::Duration SpanOf(RollupLevel level);

// The multiple of `step` since 1970 at or before `time`.
absl::Time FloorTo(absl::Time time, absl::Duration step);

// The rollups of one endpoint over one block's span. Thread-compatible.
class RollupTable {
 public:
  RollupTable(RollupLevel level, absl::Time begin);

  // Outside of the span it is left out.
  void Add(uint32_t series, absl::Time time, double value);
  void Add(uint32_t series, const Rollup& finer);
  // Empties the cells of [from, to).
  void Clear(absl::Time from, absl::Time to);

  // Oldest first.
  std::vector<Rollup> Of(uint32_t series) const;
  uint32_t series() const { return static_cast<uint32_t>(cells_.size()); }

  // As a sealed block, four columns a series; empty when nothing was added.
  // `digits` by series number.
  std::string Seal(absl::Span<const uint8_t> digits) const;

 private:
  struct Cell {
    double min = 0;
    double max = 0;
    double sum = 0;
    uint32_t count = 0;

    void Add(double low, double high, double total, uint32_t number);
  };

  Cell* Find(uint32_t series, absl::Time time);

  const absl::Time begin_;
  const absl::Duration step_;
  const size_t steps_;
  std::vector<std::vector<Cell>> cells_;  // by series, then by step
};

// Appends the rollups of one series in a block that RollupTable::Seal made.
absl::Status ReadRollups(const SealedBlock& block, uint32_t series,
                         uint32_t digits, std::vector<Rollup>& rollups);

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_ROLLUP_TABLE_H_
