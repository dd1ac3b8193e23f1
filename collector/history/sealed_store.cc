#include "collector/history/sealed_store.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "collector/history/history_keys.h"
#include "collector/history/rocks_engine.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"
#include "protos/wire/batch_codec.h"

namespace forewarn::history {
namespace {

rocksdb::WriteOptions Unlogged() {
  rocksdb::WriteOptions options;
  options.disableWAL = true;  // the append log is the log
  return options;
}

absl::Time FirstOf(const rocksdb::Iterator& block) {
  return absl::FromUnixMillis(
      static_cast<int64_t>(Read64(View(block.key()), 5)));
}

}  // namespace

SealedStore::SealedStore(std::unique_ptr<rocksdb::DB> database,
                         std::string damage_mark)
    : database_(std::move(database)), damage_mark_(std::move(damage_mark)) {}

absl::Status SealedStore::Judge(const rocksdb::Status& read) const {
  const absl::Status status = FromRocks(read, "read history");
  if (absl::IsDataLoss(status) && !damage_noted_.exchange(true)) {
    std::ofstream(damage_mark_) << status.message() << "\n";
    base::Log(base::LogLevel::kError,
              "history is damaged; restart the collector to repair it",
              {{"reason", base::ToLine(status)}});
  }
  return status;
}

absl::Status SealedStore::NameLostSeries() {
  rocksdb::WriteBatch writes;
  const std::unique_ptr<rocksdb::Iterator> it(
      database_->NewIterator(rocksdb::ReadOptions()));
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<uint32_t> numbers,
                            EndpointsOf(kBlockKind));
  for (const uint32_t number : numbers) {
    // The newest block names the series that are in use.
    it->SeekForPrev(PrefixEnd(EndpointPrefix(kBlockKind, number)));
    uint32_t series_end = 0;
    if (it->Valid()) {
      const auto block = SealedBlock::Open(View(it->value()));
      if (block.ok()) series_end = block->series_end();
    }
    FOREWARN_ASSIGN_OR_RETURN(const std::vector<SeriesRecord> known,
                              LoadSeries(number));
    size_t next = 0;
    for (uint32_t series = 0; series < series_end; ++series) {
      while (next < known.size() && known[next].series < series) ++next;
      if (next < known.size() && known[next].series == series) continue;
      v1::SeriesDefinition lost;
      lost.set_metric("forewarn.history.lost");
      v1::Attribute& attribute = *lost.add_attributes();
      attribute.set_key("forewarn.series");
      attribute.set_value(absl::StrCat(series));
      writes.Put(SeriesKey(number, series), lost.SerializeAsString());
    }
  }
  FOREWARN_RETURN_IF_ERROR(Judge(it->status()));
  return Write(writes);
}

absl::Status SealedStore::Write(rocksdb::WriteBatch& writes) {
  if (writes.Count() == 0) return absl::OkStatus();
  return FromRocks(database_->Write(Unlogged(), &writes), "write history");
}

absl::Status SealedStore::Resume() {
  return FromRocks(database_->Resume(), "resume history");
}

absl::Status SealedStore::Flush() {
  return FromRocks(database_->Flush(rocksdb::FlushOptions()), "flush history");
}

absl::StatusOr<std::string> SealedStore::Bytes(const std::string& key) const {
  std::string value;
  const rocksdb::Status read =
      database_->Get(rocksdb::ReadOptions(), key, &value);
  if (read.IsNotFound()) return std::string();
  FOREWARN_RETURN_IF_ERROR(Judge(read));
  return value;
}

absl::StatusOr<uint64_t> SealedStore::Number(const std::string& key) const {
  FOREWARN_ASSIGN_OR_RETURN(const std::string value, Bytes(key));
  if (value.empty()) return 0;
  if (value.size() != 8) {
    return absl::DataLossError("history: a damaged number");
  }
  return Read64(value, 0);
}

absl::StatusOr<std::vector<SeriesRecord>> SealedStore::LoadSeries(
    uint32_t endpoint) const {
  std::vector<SeriesRecord> records;
  const std::string prefix = EndpointPrefix(kSeriesKind, endpoint);
  FOREWARN_RETURN_IF_ERROR(
      Scan(prefix, PrefixEnd(prefix),
           [&](absl::string_view key, absl::string_view value) {
             v1::SeriesDefinition proto;
             if (!proto.ParseFromArray(value.data(),
                                       static_cast<int>(value.size()))) {
               return absl::DataLossError("series record cannot be read");
             }
             records.push_back({Read32(key, 5), wire::FromProto(proto)});
             return absl::OkStatus();
           }));
  return records;
}

absl::StatusOr<std::vector<v1::Event>> SealedStore::Events(uint32_t number,
                                                           absl::Time from,
                                                           absl::Time to,
                                                           size_t limit) const {
  std::vector<v1::Event> events;
  FOREWARN_RETURN_IF_ERROR(
      Scan(EventKey(number, std::max(from, absl::UnixEpoch()), 0),
           to == absl::InfiniteFuture()
               ? PrefixEnd(EndpointPrefix(kEventKind, number))
               : EventKey(number, to, 0),
           [&](absl::string_view, absl::string_view value) {
             v1::Event event;
             if (event.ParseFromArray(value.data(),
                                      static_cast<int>(value.size()))) {
               events.push_back(std::move(event));
             }
             return absl::OkStatus();
           }));
  std::reverse(events.begin(), events.end());
  if (events.size() > limit) events.resize(limit);
  return events;
}

absl::Status SealedStore::Compact() {
  rocksdb::CompactRangeOptions options;
  return FromRocks(database_->CompactRange(options, nullptr, nullptr),
                   "compact history");
}

absl::Status SealedStore::DropRollupsBefore(RollupLevel level,
                                            absl::Time cutoff) {
  if (cutoff <= absl::UnixEpoch()) return absl::OkStatus();
  rocksdb::WriteBatch writes;
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<uint32_t> endpoints, Endpoints());
  const std::unique_ptr<rocksdb::Iterator> it(
      database_->NewIterator(rocksdb::ReadOptions()));
  for (const uint32_t number : endpoints) {
    const std::string end = RollupKey(number, level, cutoff);
    it->Seek(RollupPrefix(number, level));
    if (it->Valid() && View(it->key()) < end) {
      writes.DeleteRange(RollupPrefix(number, level), end);
    }
  }
  FOREWARN_RETURN_IF_ERROR(Judge(it->status()));
  return Write(writes);
}

absl::StatusOr<std::vector<uint32_t>> SealedStore::Endpoints() const {
  return EndpointsOf(kSeriesKind);
}

absl::StatusOr<std::vector<uint32_t>> SealedStore::EndpointsOf(
    char kind) const {
  std::vector<uint32_t> numbers;
  const std::unique_ptr<rocksdb::Iterator> it(
      database_->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(std::string(1, kind)); it->Valid() && it->key()[0] == kind;
       it->Seek(PrefixEnd(EndpointPrefix(kind, numbers.back())))) {
    numbers.push_back(Read32(View(it->key()), 1));
  }
  FOREWARN_RETURN_IF_ERROR(Judge(it->status()));
  return numbers;
}

absl::StatusOr<absl::Time> SealedStore::FirstFrom(uint32_t endpoint,
                                                  absl::Time from) const {
  const std::unique_ptr<rocksdb::Iterator> it(
      database_->NewIterator(rocksdb::ReadOptions()));
  const absl::Time begin =
      std::max(from, absl::UnixEpoch() + kBlockSpan) - kBlockSpan;
  it->Seek(BlockKey(endpoint, begin, 0));
  FOREWARN_RETURN_IF_ERROR(Judge(it->status()));
  const std::string prefix = EndpointPrefix(kBlockKind, endpoint);
  if (!it->Valid() || !it->key().starts_with(prefix)) {
    return absl::InfiniteFuture();
  }
  return FirstOf(*it);
}

// Range tombstones cost every read until they are compacted: one an
// endpoint and only where there is something to drop.
absl::Status SealedStore::DropBefore(absl::Time cutoff) {
  rocksdb::WriteBatch writes;
  const std::unique_ptr<rocksdb::Iterator> it(
      database_->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(std::string(1, kBlockKind));
       it->Valid() && it->key()[0] == kBlockKind;) {
    const uint32_t number = Read32(View(it->key()), 1);
    const absl::Time first = FirstOf(*it);
    if (first < cutoff - kBlockSpan) {
      writes.DeleteRange(BlockKey(number, absl::UnixEpoch(), 0),
                         BlockKey(number, cutoff - kBlockSpan, 0));
      writes.DeleteRange(EventKey(number, absl::UnixEpoch(), 0),
                         EventKey(number, cutoff, 0));
    }
    it->Seek(PrefixEnd(EndpointPrefix(kBlockKind, number)));
  }
  FOREWARN_RETURN_IF_ERROR(Judge(it->status()));
  return Write(writes);
}

// Over the bound the oldest share of the time that is kept goes.
absl::Status SealedStore::KeepWithin(uint64_t bytes, absl::Time now) {
  if (bytes == 0) return absl::OkStatus();
  uint64_t tables = 0;
  uint64_t blobs = 0;
  database_->GetIntProperty("rocksdb.total-sst-files-size", &tables);
  database_->GetIntProperty("rocksdb.live-blob-file-size", &blobs);
  if (tables + blobs <= bytes) return absl::OkStatus();
  const absl::Time oldest = Oldest(now);
  const double over =
      1.05 - static_cast<double>(bytes) / static_cast<double>(tables + blobs);
  const absl::Time cutoff = oldest + (now - oldest) * over + kBlockSpan;
  base::Log(base::LogLevel::kWarning,
            "history is over its size; the oldest samples go",
            {{"bytes", tables + blobs},
             {"limit", bytes},
             {"before", absl::FormatTime(cutoff, absl::UTCTimeZone())}});
  FOREWARN_RETURN_IF_ERROR(DropBefore(cutoff));
  return Compact();
}

absl::Time SealedStore::Oldest(absl::Time now) const {
  absl::Time oldest = now;
  const std::unique_ptr<rocksdb::Iterator> it(
      database_->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(std::string(1, kBlockKind));
       it->Valid() && it->key()[0] == kBlockKind; it->Seek(
           PrefixEnd(EndpointPrefix(kBlockKind, Read32(View(it->key()), 1))))) {
    oldest = std::min(
        oldest,
        absl::FromUnixMillis(static_cast<int64_t>(Read64(View(it->key()), 5))));
  }
  return oldest;
}

absl::Status SealedStore::Scan(
    const std::string& from, const std::string& to,
    const std::function<absl::Status(absl::string_view, absl::string_view)>&
        accept) const {
  rocksdb::ReadOptions options;
  const rocksdb::Slice end(to);
  if (!to.empty()) options.iterate_upper_bound = &end;
  const std::unique_ptr<rocksdb::Iterator> it(database_->NewIterator(options));
  for (it->Seek(from); it->Valid(); it->Next()) {
    FOREWARN_RETURN_IF_ERROR(accept(View(it->key()), View(it->value())));
  }
  return Judge(it->status());
}

absl::Status SealedStore::ForRollups(
    uint32_t endpoint, RollupLevel level, absl::Time from, absl::Time to,
    const std::function<absl::Status(const SealedBlock&)>& accept) const {
  from = std::max(from, absl::UnixEpoch());
  if (to <= from) return absl::OkStatus();
  return Scan(RollupKey(endpoint, level, from),
              to == absl::InfiniteFuture()
                  ? PrefixEnd(RollupPrefix(endpoint, level))
                  : RollupKey(endpoint, level, to),
              [&](absl::string_view, absl::string_view value) -> absl::Status {
                FOREWARN_ASSIGN_OR_RETURN(const SealedBlock block,
                                          SealedBlock::Open(value));
                return accept(block);
              });
}

// Every sealed block that may hold samples of [from, to).
absl::Status SealedStore::ForBlocks(
    uint32_t number, absl::Time from, absl::Time to,
    const std::function<absl::Status(const SealedBlock&)>& accept) const {
  from = std::max(from, absl::UnixEpoch() + kBlockSpan);
  if (to <= from) return absl::OkStatus();
  return Scan(BlockKey(number, from - kBlockSpan, 0),
              to == absl::InfiniteFuture()
                  ? PrefixEnd(EndpointPrefix(kBlockKind, number))
                  : BlockKey(number, to, 0),
              [&](absl::string_view, absl::string_view value) -> absl::Status {
                FOREWARN_ASSIGN_OR_RETURN(const SealedBlock block,
                                          SealedBlock::Open(value));
                return block.last() < from ? absl::OkStatus() : accept(block);
              });
}

}  // namespace forewarn::history
