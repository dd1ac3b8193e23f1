#ifndef FOREWARN_COLLECTOR_HISTORY_ROCKS_STORE_IMPL_H_
#define FOREWARN_COLLECTOR_HISTORY_ROCKS_STORE_IMPL_H_

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "collector/history/append_log.h"
#include "collector/history/log_entry.h"
#include "collector/history/open_block.h"
#include "collector/history/rocks_engine.h"
#include "collector/history/rocks_store.h"
#include "collector/history/rollup_levels.h"
#include "collector/history/sealed_store.h"
#include "protos/base/files.h"
#include "protos/base/mutex.h"

namespace forewarn::history {

// RocksStore from the inside; only its own sources, rocks_*.cc, include this.
class RocksStore::Impl {
 public:
  Impl(RocksOptions options, OpenedEngine engine)
      : options_(std::move(options)),
        sealed_(std::move(engine.database), DamageMark(options_.directory)),
        rollups_(sealed_),
        set_aside_(std::move(engine.set_aside)) {}

  absl::Status OpenLog(base::Files& files);

  SealedStore& sealed() { return sealed_; }

  absl::Status Append(
      absl::Span<const std::pair<uint32_t, SeriesRecord>> new_series,
      absl::Span<const EndpointBatch> batches);

  absl::StatusOr<uint64_t> HighWater(uint32_t number, const wire::RunId& run);

  absl::StatusOr<std::vector<Sample>> Query(uint32_t number, uint32_t series,
                                            absl::Time from, absl::Time to);

  absl::StatusOr<std::vector<Rollup>> QueryRollups(uint32_t number,
                                                   uint32_t series,
                                                   RollupLevel level,
                                                   absl::Time from,
                                                   absl::Time to);

  absl::Status Replay(uint32_t number, absl::Time from,
                      const std::function<void(const wire::Tick&)>& accept);

  absl::Status Maintain(absl::Time now);

  absl::Status Flush();

  const std::string& set_aside() const { return set_aside_; }

  absl::Status CheckRoom() const;

 private:
  // What is known of one endpoint without asking the database.
  struct Endpoint {
    std::vector<uint8_t> digits;  // by series number
    OpenBlock open;
    uint64_t order = 0;  // of the last entry of the log
    uint32_t since_reset = 0;
    bool link_lost = false;  // while recovering: until the next reset
    // Before it both levels of rollups are made of all that is sealed; the
    // start of a span, 1970 when there are none.
    absl::Time rolled = absl::UnixEpoch();
    // That holds the first row of the open block.
    uint64_t first_segment = std::numeric_limits<uint64_t>::max();
    absl::flat_hash_map<wire::RunId, uint64_t> high_water;
  };

  // How an endpoint was before a batch was collected.
  struct Undo {
    uint32_t number = 0;
    Endpoint* endpoint = nullptr;
    OpenBlock::Mark open;
    wire::RunId run{};
    uint64_t high_water = 0;
  };

  struct Group {
    std::vector<std::string> records;
    std::vector<Undo> undo;
    rocksdb::WriteBatch writes;  // series and events
  };

  static void LogIfBad(const absl::Status& status);

  // The endpoint's state, read from the database on first use. Pointers stay
  // good.
  absl::StatusOr<Endpoint*> Find(uint32_t number)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  static void Know(const SeriesRecord& record, Endpoint& endpoint);

  absl::StatusOr<uint64_t*> Mark(uint32_t number, Endpoint& endpoint,
                                 const wire::RunId& run)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Status Collect(
      absl::Span<const std::pair<uint32_t, SeriesRecord>> new_series,
      absl::Span<const EndpointBatch> batches, Group& group)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Status Collect(const EndpointBatch& item, std::string& record,
                       Group& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  static uint32_t EventNumber(const BatchEntry& entry, size_t index);

  // Keys by run and sequence: a batch that stands in the log twice, once
  // refused and once sent again, has its events once.
  static void PutEvents(const BatchEntry& entry, rocksdb::WriteBatch& writes);

  void TakeBack(const Undo& undo) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // One record of the log at the start.
  void Recover(absl::string_view record, uint64_t segment)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Status RecoverBatch(const BatchEntry& batch, uint64_t segment)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // What a restart read back from the log may be many blocks; so may what the
  // database refused.
  absl::Status SealIfOverdue(uint32_t number)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Writes the open block into the database and empties it.
  absl::Status Seal(uint32_t number, Endpoint& endpoint)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  static void MarkRolled(uint32_t number, absl::Time rolled, Endpoint& endpoint,
                         rocksdb::WriteBatch& writes);

  // The first moment from `from` on that may have samples.
  absl::StatusOr<absl::Time> NextFrom(uint32_t number, absl::Time from);

  absl::Status RollUp(absl::Time now);

  // One span of one endpoint, if there is one to roll up.
  absl::StatusOr<bool> RollUp(uint32_t number, absl::Time now);

  // Seals what the segments before the newest `kept` hold, and drops these.
  absl::Status ShortenLog(uint64_t kept);

  const RocksOptions options_;
  SealedStore sealed_;
  const RollupLevels rollups_;
  const std::string set_aside_;
  absl::Time last_retention_ = absl::InfinitePast();  // of the maintenance

  // Taken first: what is appended, and whatever empties an open block.
  base::Mutex append_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::unique_ptr<AppendLog> log_ ABSL_GUARDED_BY(append_mutex_);
  base::Mutex mutex_;
  absl::flat_hash_map<uint32_t, std::unique_ptr<Endpoint>> endpoints_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_ROCKS_STORE_IMPL_H_
