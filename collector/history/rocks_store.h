#ifndef FOREWARN_COLLECTOR_HISTORY_ROCKS_STORE_H_
#define FOREWARN_COLLECTOR_HISTORY_ROCKS_STORE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collector/history/history_store.h"
#include "protos/base/files.h"

namespace forewarn::history {

struct RocksOptions {
  std::string directory{};
  std::string log_directory{};  // default: directory/log
  uint64_t cache_bytes = 64 << 20;
  absl::Duration raw_retention = absl::Hours(24 * 30);
  absl::Duration five_minute_retention = absl::Hours(24 * 400);
  absl::Duration hour_retention = absl::Hours(24 * 1830);
  uint64_t max_bytes = 0;  // 0: as much as the retention needs
  // With less free on its disk nothing is kept until there is more.
  uint64_t min_free_bytes = 64 << 20;
  // Ticks of an endpoint become a sealed block once there are so many.
  uint32_t block_ticks = 120;
  // The append log is kept under four of these.
  uint64_t segment_bytes = 64 << 20;
};

// The embedded engine (docs/formats/history.md): what arrives goes into an
// append log with one sync a group, and, by endpoint, into an open block in
// memory; a full block is sealed into RocksDB, column by column. A damaged
// database is repaired; what cannot be repaired is moved aside, with the log,
// to "<directory>.damaged-<time>", which `set_aside` then names.
class RocksStore final : public HistoryStore {
 public:
  // `files` must outlive it; for the log only.
  static absl::StatusOr<std::unique_ptr<RocksStore>> Open(
      const RocksOptions& options, base::Files& files = base::Files::Posix());
  ~RocksStore() override;

  absl::StatusOr<std::vector<SeriesRecord>> LoadSeries(
      uint32_t endpoint) override;
  absl::Status Append(
      absl::Span<const std::pair<uint32_t, SeriesRecord>> new_series,
      absl::Span<const EndpointBatch> batches) override;
  absl::StatusOr<uint64_t> HighWater(uint32_t endpoint,
                                     const wire::RunId& run) override;
  absl::StatusOr<std::vector<Sample>> Query(uint32_t endpoint, uint32_t series,
                                            absl::Time from,
                                            absl::Time to) override;
  absl::StatusOr<std::vector<Rollup>> QueryRollups(uint32_t endpoint,
                                                   uint32_t series,
                                                   RollupLevel level,
                                                   absl::Time from,
                                                   absl::Time to) override;
  absl::Status Replay(
      uint32_t endpoint, absl::Time from,
      const std::function<void(const wire::Tick&)>& accept) override;
  absl::Status KeepState(uint32_t endpoint, absl::string_view state) override;
  absl::StatusOr<std::string> LoadState(uint32_t endpoint) override;
  absl::StatusOr<std::vector<v1::Event>> Events(uint32_t endpoint,
                                                absl::Time from, absl::Time to,
                                                size_t limit) override;
  absl::Status Maintain(absl::Time now) override;
  absl::Status Flush() override;

  // Where a damaged database was put; empty when there was none.
  const std::string& set_aside() const;

 private:
  class Impl;
  explicit RocksStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_ROCKS_STORE_H_
