#include "collector/history/rollup_levels.h"

#include <string>

#include "collector/history/history_keys.h"
#include "collector/history/rollup_table.h"
#include "collector/history/sealed_block.h"
#include "collector/history/tick_order.h"
#include "protos/base/status.h"

namespace forewarn::history {

absl::Status RollupLevels::Roll(uint32_t endpoint, absl::Time begin,
                                absl::Span<const uint8_t> digits,
                                rocksdb::WriteBatch& writes) const {
  const absl::Time end = begin + SpanOf(RollupLevel::kFiveMinutes);
  std::vector<wire::Tick> ticks;
  FOREWARN_RETURN_IF_ERROR(sealed_.ForBlocks(
      endpoint, begin, end,
      [&](const SealedBlock& block) { return block.ReadAll(digits, ticks); }));
  Arrange(ticks);
  RollupTable minutes(RollupLevel::kFiveMinutes, begin);
  for (const wire::Tick& tick : ticks) {
    for (const wire::Sample& sample : tick.samples) {
      minutes.Add(sample.series, tick.time, sample.value);
    }
  }
  const std::string block = minutes.Seal(digits);
  if (block.empty()) return absl::OkStatus();
  writes.Put(RollupKey(endpoint, RollupLevel::kFiveMinutes, begin), block);

  // The day's block takes these hours in, in place of what it had of them.
  const absl::Time day = FloorTo(begin, SpanOf(RollupLevel::kHour));
  RollupTable hours(RollupLevel::kHour, day);
  const std::string key = RollupKey(endpoint, RollupLevel::kHour, day);
  FOREWARN_ASSIGN_OR_RETURN(const std::string before, sealed_.Bytes(key));
  if (!before.empty()) {
    FOREWARN_ASSIGN_OR_RETURN(const SealedBlock stored,
                              SealedBlock::Open(before));
    std::vector<Rollup> rollups;
    for (uint32_t series = 0; series < digits.size(); ++series) {
      rollups.clear();
      FOREWARN_RETURN_IF_ERROR(
          ReadRollups(stored, series, digits[series], rollups));
      for (const Rollup& rollup : rollups) hours.Add(series, rollup);
    }
    hours.Clear(begin, end);
  }
  for (uint32_t series = 0; series < minutes.series(); ++series) {
    for (const Rollup& rollup : minutes.Of(series)) hours.Add(series, rollup);
  }
  writes.Put(key, hours.Seal(digits));
  return absl::OkStatus();
}

absl::Status RollupLevels::Read(uint32_t endpoint, uint32_t series,
                                uint32_t digits, RollupLevel level,
                                absl::Time from, absl::Time to,
                                std::vector<Rollup>& rollups) const {
  const size_t before = rollups.size();
  FOREWARN_RETURN_IF_ERROR(
      sealed_.ForRollups(endpoint, level, FloorTo(from, SpanOf(level)), to,
                         [&](const SealedBlock& block) {
                           return ReadRollups(block, series, digits, rollups);
                         }));
  size_t kept = before;
  for (size_t i = before; i < rollups.size(); ++i) {
    if (rollups[i].time >= from && rollups[i].time < to) {
      rollups[kept++] = rollups[i];
    }
  }
  rollups.resize(kept);
  return absl::OkStatus();
}

}  // namespace forewarn::history
