#include "collector/history/rocks_store.h"

#include <rocksdb/write_batch.h>

#include <filesystem>
#include <system_error>

#include "collector/history/history_keys.h"
#include "collector/history/rocks_engine.h"
#include "collector/history/rocks_store_impl.h"
#include "protos/base/status.h"

namespace forewarn::history {

absl::StatusOr<std::unique_ptr<RocksStore>> RocksStore::Open(
    const RocksOptions& options, base::Files& files) {
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  FOREWARN_RETURN_IF_ERROR(
      CheckRoom(options.directory, options.min_free_bytes));
  FOREWARN_ASSIGN_OR_RETURN(OpenedEngine engine,
                            OpenEngine(options.directory, options.cache_bytes));
  const bool repaired = engine.repaired;
  auto impl = std::make_unique<Impl>(options, std::move(engine));
  if (repaired) {
    FOREWARN_RETURN_IF_ERROR(impl->sealed().NameLostSeries());
  }
  FOREWARN_RETURN_IF_ERROR(impl->OpenLog(files));
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(impl)));
}

RocksStore::RocksStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksStore::~RocksStore() = default;

absl::StatusOr<std::vector<SeriesRecord>> RocksStore::LoadSeries(
    uint32_t endpoint) {
  return impl_->sealed().LoadSeries(endpoint);
}
absl::Status RocksStore::Append(
    absl::Span<const std::pair<uint32_t, SeriesRecord>> new_series,
    absl::Span<const EndpointBatch> batches) {
  return impl_->Append(new_series, batches);
}
absl::StatusOr<uint64_t> RocksStore::HighWater(uint32_t endpoint,
                                               const wire::RunId& run) {
  return impl_->HighWater(endpoint, run);
}
absl::StatusOr<std::vector<Sample>> RocksStore::Query(uint32_t endpoint,
                                                      uint32_t series,
                                                      absl::Time from,
                                                      absl::Time to) {
  return impl_->Query(endpoint, series, from, to);
}
absl::StatusOr<std::vector<Rollup>> RocksStore::QueryRollups(uint32_t endpoint,
                                                             uint32_t series,
                                                             RollupLevel level,
                                                             absl::Time from,
                                                             absl::Time to) {
  return impl_->QueryRollups(endpoint, series, level, from, to);
}
absl::Status RocksStore::Replay(
    uint32_t endpoint, absl::Time from,
    const std::function<void(const wire::Tick&)>& accept) {
  return impl_->Replay(endpoint, from, accept);
}
absl::Status RocksStore::KeepState(uint32_t endpoint, absl::string_view state) {
  FOREWARN_RETURN_IF_ERROR(impl_->CheckRoom());
  rocksdb::WriteBatch writes;
  writes.Put(StateKey(endpoint), rocksdb::Slice(state.data(), state.size()));
  return impl_->sealed().Write(writes);
}
absl::StatusOr<std::string> RocksStore::LoadState(uint32_t endpoint) {
  return impl_->sealed().Bytes(StateKey(endpoint));
}
absl::StatusOr<std::vector<v1::Event>> RocksStore::Events(uint32_t endpoint,
                                                          absl::Time from,
                                                          absl::Time to,
                                                          size_t limit) {
  return impl_->sealed().Events(endpoint, from, to, limit);
}
absl::Status RocksStore::Maintain(absl::Time now) {
  return impl_->Maintain(now);
}
absl::Status RocksStore::Flush() { return impl_->Flush(); }
const std::string& RocksStore::set_aside() const { return impl_->set_aside(); }

}  // namespace forewarn::history
