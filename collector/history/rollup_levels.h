#ifndef FOREWARN_COLLECTOR_HISTORY_ROLLUP_LEVELS_H_
#define FOREWARN_COLLECTOR_HISTORY_ROLLUP_LEVELS_H_

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "collector/history/history_store.h"
#include "collector/history/sealed_store.h"

namespace forewarn::history {

// The 5-minute and 1-hour levels over the sealed blocks: made once a span of
// six hours has passed, and made again where samples come late. Only
// rocks_*.cc include this. Thread-safe.
class RollupLevels {
 public:
  // Must outlive it.
  explicit RollupLevels(SealedStore& sealed) : sealed_(sealed) {}

  // Puts both levels of one span, which begins at `begin`, into `writes`, from
  // the sealed blocks alone. `digits` by series number.
  absl::Status Roll(uint32_t endpoint, absl::Time begin,
                    absl::Span<const uint8_t> digits,
                    rocksdb::WriteBatch& writes) const;

  // Appends what is stored of [from, to), oldest first.
  absl::Status Read(uint32_t endpoint, uint32_t series, uint32_t digits,
                    RollupLevel level, absl::Time from, absl::Time to,
                    std::vector<Rollup>& rollups) const;

 private:
  SealedStore& sealed_;
};

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_ROLLUP_LEVELS_H_
