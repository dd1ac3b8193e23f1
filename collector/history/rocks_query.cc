// How samples and rollups are read.

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "collector/history/rocks_store_impl.h"
#include "collector/history/rollup_table.h"
#include "collector/history/sealed_block.h"
#include "collector/history/tick_order.h"
#include "protos/base/status.h"

namespace forewarn::history {

absl::StatusOr<std::vector<Sample>> RocksStore::Impl::Query(uint32_t number,
                                                            uint32_t series,
                                                            absl::Time from,
                                                            absl::Time to) {
  std::vector<uint8_t> digits;
  std::vector<Sample> newest;
  {
    // The open block first: what is sealed meanwhile is then seen twice,
    // not never.
    base::MutexLock lock(&mutex_);
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
    digits = endpoint->digits;
    if (series >= digits.size()) {
      return absl::NotFoundError(absl::StrCat("series ", series));
    }
    std::vector<wire::Tick> ticks;
    FOREWARN_RETURN_IF_ERROR(endpoint->open.Read(digits, ticks));
    for (const wire::Tick& tick : ticks) {
      for (const wire::Sample& sample : tick.samples) {
        if (sample.series == series) {
          newest.push_back({tick.time, sample.value});
        }
      }
    }
  }
  std::vector<Sample> samples;
  FOREWARN_RETURN_IF_ERROR(
      sealed_.ForBlocks(number, from, to, [&](const SealedBlock& block) {
        return block.Read(series, digits[series], samples);
      }));
  samples.insert(samples.end(), newest.begin(), newest.end());
  Trim(from, to, samples);
  return samples;
}

absl::StatusOr<std::vector<Rollup>> RocksStore::Impl::QueryRollups(
    uint32_t number, uint32_t series, RollupLevel level, absl::Time from,
    absl::Time to) {
  const absl::Duration step = StepOf(level);
  from = FloorTo(from, step);
  if (FloorTo(to, step) != to) to = FloorTo(to, step) + step;
  absl::Time rolled;
  uint32_t digits = 0;
  {
    base::MutexLock lock(&mutex_);
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
    if (series >= endpoint->digits.size()) {
      return absl::NotFoundError(absl::StrCat("series ", series));
    }
    digits = endpoint->digits[series];
    rolled = endpoint->rolled;
  }
  std::vector<Rollup> rollups;
  FOREWARN_RETURN_IF_ERROR(rollups_.Read(number, series, digits, level, from,
                                         std::min(to, rolled), rollups));
  const absl::Duration span = SpanOf(level);
  for (absl::Time begin = std::max(from, rolled); begin < to;) {
    const absl::Time end = std::min(FloorTo(begin, span) + span, to);
    FOREWARN_ASSIGN_OR_RETURN(const std::vector<Sample> samples,
                              Query(number, series, begin, end));
    RollupTable table(level, FloorTo(begin, span));
    for (const Sample& sample : samples) {
      table.Add(0, sample.time, sample.value);
    }
    for (const Rollup& rollup : table.Of(0)) rollups.push_back(rollup);
    // What nobody sampled is passed over in one step.
    FOREWARN_ASSIGN_OR_RETURN(const absl::Time next, NextFrom(number, end));
    begin = std::max(end, std::min(FloorTo(next, span), to));
  }
  return rollups;
}

absl::Status RocksStore::Impl::Replay(
    uint32_t number, absl::Time from,
    const std::function<void(const wire::Tick&)>& accept) {
  std::vector<wire::Tick> newest;
  std::vector<uint8_t> digits;
  {
    base::MutexLock lock(&mutex_);
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
    digits = endpoint->digits;
    FOREWARN_RETURN_IF_ERROR(endpoint->open.Read(digits, newest));
  }
  std::vector<wire::Tick> ticks;
  FOREWARN_RETURN_IF_ERROR(sealed_.ForBlocks(
      number, from, absl::InfiniteFuture(),
      [&](const SealedBlock& block) { return block.ReadAll(digits, ticks); }));
  ticks.insert(ticks.end(), std::make_move_iterator(newest.begin()),
               std::make_move_iterator(newest.end()));
  Arrange(ticks);
  for (const wire::Tick& tick : ticks) {
    if (tick.time >= from) accept(tick);
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> RocksStore::Impl::NextFrom(uint32_t number,
                                                      absl::Time from) {
  FOREWARN_ASSIGN_OR_RETURN(const absl::Time sealed,
                            sealed_.FirstFrom(number, from));
  base::MutexLock lock(&mutex_);
  FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
  return endpoint->open.empty() ? sealed : from;
}

}  // namespace forewarn::history
