#ifndef FOREWARN_COLLECTOR_HISTORY_SEALED_STORE_H_
#define FOREWARN_COLLECTOR_HISTORY_SEALED_STORE_H_

#include <rocksdb/db.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/history/history_store.h"
#include "collector/history/sealed_block.h"
#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::history {

// A block spans less than this, so that a query knows how far before its
// range one may begin.
inline constexpr absl::Duration kBlockSpan = absl::Hours(1);

// What stands in RocksDB: sealed blocks, series, events, marks. Only
// rocks_*.cc include this. Thread-safe. Errors as of HistoryStore.
class SealedStore {
 public:
  // A checksum that fails leaves its reason at `damage_mark`, a path, for the
  // next start to repair what can be.
  SealedStore(std::unique_ptr<rocksdb::DB> database, std::string damage_mark);

  // After a repair. A series whose name was lost keeps its number, as
  // forewarn.history.lost, so that its samples never come back under another
  // name.
  absl::Status NameLostSeries();

  // Not durable before Flush: the append log is the log.
  absl::Status Write(rocksdb::WriteBatch& writes);
  absl::Status Flush();
  absl::Status Compact();
  // After errors such as a full disk.
  absl::Status Resume();

  // Whatever stands at a key; empty when nothing does.
  absl::StatusOr<std::string> Bytes(const std::string& key) const;
  // The 8 bytes at a key; 0 when there are none.
  absl::StatusOr<uint64_t> Number(const std::string& key) const;
  absl::StatusOr<std::vector<SeriesRecord>> LoadSeries(uint32_t endpoint) const;
  absl::StatusOr<std::vector<v1::Event>> Events(uint32_t endpoint,
                                                absl::Time from, absl::Time to,
                                                size_t limit) const;
  // Every block that may hold samples of [from, to), by its first tick.
  absl::Status ForBlocks(
      uint32_t endpoint, absl::Time from, absl::Time to,
      const std::function<absl::Status(const SealedBlock&)>& accept) const;

  // Every block of rollups that begins in [from, to), by its begin.
  absl::Status ForRollups(
      uint32_t endpoint, RollupLevel level, absl::Time from, absl::Time to,
      const std::function<absl::Status(const SealedBlock&)>& accept) const;

  // Of every endpoint with series.
  absl::StatusOr<std::vector<uint32_t>> Endpoints() const;
  // Of the first block that may hold samples from `from` on; the infinite
  // future when there is none.
  absl::StatusOr<absl::Time> FirstFrom(uint32_t endpoint,
                                       absl::Time from) const;

  absl::Status DropRollupsBefore(RollupLevel level, absl::Time cutoff);
  // Blocks and events that are wholly before `cutoff`.
  absl::Status DropBefore(absl::Time cutoff);
  // Drops the oldest until about `bytes` are left; 0 is no bound.
  absl::Status KeepWithin(uint64_t bytes, absl::Time now);

 private:
  absl::Time Oldest(absl::Time now) const;
  // Of every endpoint with a key of that kind.
  absl::StatusOr<std::vector<uint32_t>> EndpointsOf(char kind) const;
  // The status of a read; notes damage.
  absl::Status Judge(const rocksdb::Status& read) const;
  absl::Status Scan(
      const std::string& from, const std::string& to,
      const std::function<absl::Status(absl::string_view, absl::string_view)>&
          accept) const;

  const std::unique_ptr<rocksdb::DB> database_;
  const std::string damage_mark_;
  mutable std::atomic<bool> damage_noted_ = false;
};

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_SEALED_STORE_H_
