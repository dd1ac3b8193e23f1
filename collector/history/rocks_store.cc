#include "collector/history/rocks_store.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <map>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "collector/history/chunk_codec.h"
#include "collector/history/history_keys.h"
#include "collector/history/rocks_engine.h"
#include "protos/base/mutex.h"
#include "protos/base/status.h"
#include "protos/wire/batch_codec.h"

namespace forewarn::history {

class RocksStore::Impl {
 public:
  Impl(RocksOptions options, std::unique_ptr<rocksdb::DB> database,
       std::string set_aside)
      : options_(std::move(options)),
        database_(std::move(database)),
        set_aside_(std::move(set_aside)) {}

  // What is known of one endpoint without asking the database.
  struct Endpoint {
    std::vector<uint8_t> digits;  // by series number
    uint64_t next_order = 0;
    uint64_t oldest_order = 0;
    absl::flat_hash_map<std::string, uint64_t> high_water;  // by key
  };

  absl::StatusOr<std::vector<SeriesRecord>> LoadSeries(uint32_t endpoint) {
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

  absl::Status Append(
      absl::Span<const std::pair<uint32_t, SeriesRecord>> new_series,
      absl::Span<const EndpointBatch> batches) {
    rocksdb::WriteBatch writes;
    base::MutexLock lock(&mutex_);
    std::vector<uint32_t> touched;
    const absl::Status collected = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      for (const auto& [number, record] : new_series) {
        FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
        touched.push_back(number);
        v1::SeriesDefinition proto;
        wire::ToProto(record.definition, proto);
        writes.Put(SeriesKey(number, record.series),
                   proto.SerializeAsString());
        if (endpoint->digits.size() <= record.series) {
          endpoint->digits.resize(record.series + 1);
        }
        endpoint->digits[record.series] =
            static_cast<uint8_t>(record.definition.digits);
      }
      for (const EndpointBatch& batch : batches) {
        touched.push_back(batch.endpoint);
        FOREWARN_RETURN_IF_ERROR(Collect(batch, writes));
      }
      return absl::OkStatus();
    }();
    if (collected.ok() && writes.Count() == 0) return absl::OkStatus();
    absl::Status written = collected;
    if (written.ok()) {
      rocksdb::WriteOptions synced;
      synced.sync = true;
      written = FromRocks(database_->Write(synced, &writes), "write history");
    }
    if (!written.ok()) {
      // What memory holds of these may be ahead of the database: read anew.
      for (const uint32_t number : touched) endpoints_.erase(number);
    }
    return written;
  }

  absl::StatusOr<uint64_t> HighWater(uint32_t number, const wire::RunId& run) {
    base::MutexLock lock(&mutex_);
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
    return HighWaterLocked(*endpoint, HighWaterKey(number, run));
  }

  absl::StatusOr<std::vector<Sample>> Query(uint32_t number, uint32_t series,
                                            absl::Time from, absl::Time to) {
    FOREWARN_ASSIGN_OR_RETURN(const std::vector<uint8_t> digits,
                              Digits(number));
    if (series >= digits.size()) {
      return absl::NotFoundError(absl::StrCat("series ", series));
    }
    std::vector<Sample> samples;
    // A snapshot, so that a chunk and the batches it was made from are never
    // both missed.
    const rocksdb::Snapshot* snapshot = database_->GetSnapshot();
    const absl::Status read = [&] {
      FOREWARN_RETURN_IF_ERROR(
          ReadChunks(number, series, digits[series], from, to, snapshot,
                     samples));
      return ReadBatches(number, digits, snapshot,
                         [&](const wire::Tick& tick) {
                           if (tick.time < from || tick.time >= to) return;
                           for (const wire::Sample& sample : tick.samples) {
                             if (sample.series == series) {
                               samples.push_back({tick.time, sample.value});
                             }
                           }
                         });
    }();
    database_->ReleaseSnapshot(snapshot);
    FOREWARN_RETURN_IF_ERROR(read);
    std::stable_sort(
        samples.begin(), samples.end(),
        [](const Sample& a, const Sample& b) { return a.time < b.time; });
    samples.erase(std::unique(samples.begin(), samples.end(),
                              [](const Sample& a, const Sample& b) {
                                return a.time == b.time;
                              }),
                  samples.end());
    return samples;
  }

  absl::Status Replay(uint32_t number, absl::Time from,
                      const std::function<void(const wire::Tick&)>& accept) {
    FOREWARN_ASSIGN_OR_RETURN(const std::vector<uint8_t> digits,
                              Digits(number));
    std::map<absl::Time, std::vector<wire::Sample>> ticks;
    std::vector<Sample> samples;
    for (uint32_t series = 0; series < digits.size(); ++series) {
      samples.clear();
      FOREWARN_RETURN_IF_ERROR(ReadChunks(number, series, digits[series], from,
                                          absl::InfiniteFuture(), nullptr,
                                          samples));
      for (const Sample& sample : samples) {
        ticks[sample.time].push_back({series, sample.value});
      }
    }
    FOREWARN_RETURN_IF_ERROR(
        ReadBatches(number, digits, nullptr, [&](const wire::Tick& tick) {
          if (tick.time < from) return;
          auto& slot = ticks[tick.time];
          slot.insert(slot.end(), tick.samples.begin(), tick.samples.end());
        }));
    wire::Tick tick;
    for (auto& [time, of_time] : ticks) {
      tick.time = time;
      tick.samples = std::move(of_time);
      std::sort(tick.samples.begin(), tick.samples.end(),
                [](const wire::Sample& a, const wire::Sample& b) {
                  return a.series < b.series;
                });
      accept(tick);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<v1::Event>> Events(uint32_t number,
                                                absl::Time from, absl::Time to,
                                                size_t limit) {
    std::vector<v1::Event> events;
    FOREWARN_RETURN_IF_ERROR(Scan(
        EventKey(number, std::max(from, absl::UnixEpoch()), 0),
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

  absl::Status Maintain(absl::Time now) {
    std::vector<uint32_t> numbers;
    {
      base::MutexLock lock(&mutex_);
      for (const auto& [number, endpoint] : endpoints_) {
        numbers.push_back(number);
      }
    }
    for (const uint32_t number : numbers) {
      FOREWARN_RETURN_IF_ERROR(MakeChunks(number));
      FOREWARN_RETURN_IF_ERROR(
          DropBefore(number, now - options_.raw_retention));
    }
    return absl::OkStatus();
  }

  absl::Status Flush() {
    FOREWARN_RETURN_IF_ERROR(FromRocks(
        database_->Flush(rocksdb::FlushOptions()), "flush history"));
    return FromRocks(database_->CompactRange(rocksdb::CompactRangeOptions(),
                                             nullptr, nullptr),
                     "compact history");
  }

  const std::string& set_aside() const { return set_aside_; }

 private:
  // The endpoint's cached state, read from the database on first use.
  absl::StatusOr<Endpoint*> Find(uint32_t number)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (const auto it = endpoints_.find(number); it != endpoints_.end()) {
      return &it->second;
    }
    Endpoint endpoint;
    FOREWARN_ASSIGN_OR_RETURN(const std::vector<SeriesRecord> records,
                              LoadSeries(number));
    for (const SeriesRecord& record : records) {
      if (endpoint.digits.size() <= record.series) {
        endpoint.digits.resize(record.series + 1);
      }
      endpoint.digits[record.series] =
          static_cast<uint8_t>(record.definition.digits);
    }
    const std::string prefix = EndpointPrefix(kBatchKind, number);
    const std::unique_ptr<rocksdb::Iterator> it(
        database_->NewIterator(rocksdb::ReadOptions()));
    it->SeekForPrev(PrefixEnd(prefix));
    if (it->Valid() && it->key().starts_with(prefix)) {
      endpoint.next_order = Read64(View(it->key()), 5) + 1;
    }
    it->Seek(prefix);
    endpoint.oldest_order = it->Valid() && it->key().starts_with(prefix)
                                ? Read64(View(it->key()), 5)
                                : endpoint.next_order;
    FOREWARN_RETURN_IF_ERROR(FromRocks(it->status(), "read history"));
    return &endpoints_.emplace(number, std::move(endpoint)).first->second;
  }

  absl::StatusOr<std::vector<uint8_t>> Digits(uint32_t number) {
    base::MutexLock lock(&mutex_);
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
    return endpoint->digits;
  }

  absl::StatusOr<uint64_t> HighWaterLocked(Endpoint& endpoint,
                                           const std::string& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (const auto it = endpoint.high_water.find(key);
        it != endpoint.high_water.end()) {
      return it->second;
    }
    std::string value;
    const rocksdb::Status read =
        database_->Get(rocksdb::ReadOptions(), key, &value);
    if (read.IsNotFound()) return 0;
    FOREWARN_RETURN_IF_ERROR(FromRocks(read, "read high-water mark"));
    if (value.size() != 8) return absl::DataLossError("high-water mark");
    return endpoint.high_water[key] = Read64(value, 0);
  }

  absl::Status Collect(const EndpointBatch& batch, rocksdb::WriteBatch& writes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(batch.endpoint));
    const std::string mark_key =
        HighWaterKey(batch.endpoint, batch.batch.run_id);
    FOREWARN_ASSIGN_OR_RETURN(const uint64_t mark,
                              HighWaterLocked(*endpoint, mark_key));
    if (batch.batch.sequence <= mark) return absl::OkStatus();
    for (const wire::Tick& tick : batch.batch.ticks) {
      for (const wire::Sample& sample : tick.samples) {
        if (sample.series >= endpoint->digits.size()) {
          return absl::InternalError("sample of a series without definition");
        }
      }
    }
    writes.Put(BatchKey(batch.endpoint, endpoint->next_order++),
               EncodeTicks(batch.batch.ticks, endpoint->digits));
    for (const v1::Event& event : batch.batch.events) {
      const absl::Time time = absl::FromUnixSeconds(event.time().seconds()) +
                              absl::Nanoseconds(event.time().nanos());
      writes.Put(EventKey(batch.endpoint, std::max(time, absl::UnixEpoch()),
                          next_event_++),
                 event.SerializeAsString());
    }
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes += static_cast<char>(batch.batch.sequence >> shift);
    }
    writes.Put(mark_key, bytes);
    endpoint->high_water[mark_key] = batch.batch.sequence;
    return absl::OkStatus();
  }

  absl::Status Scan(
      const std::string& from, const std::string& to,
      const std::function<absl::Status(absl::string_view, absl::string_view)>&
          accept,
      const rocksdb::Snapshot* snapshot = nullptr) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    const rocksdb::Slice end(to);
    if (!to.empty()) options.iterate_upper_bound = &end;
    const std::unique_ptr<rocksdb::Iterator> it(
        database_->NewIterator(options));
    for (it->Seek(from); it->Valid(); it->Next()) {
      FOREWARN_RETURN_IF_ERROR(accept(View(it->key()), View(it->value())));
    }
    return FromRocks(it->status(), "read history");
  }

  absl::Status ReadChunks(uint32_t number, uint32_t series, uint32_t digits,
                          absl::Time from, absl::Time to,
                          const rocksdb::Snapshot* snapshot,
                          std::vector<Sample>& samples) {
    const std::string prefix = ChunkPrefix(number, series);
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    const std::string end = PrefixEnd(prefix);
    const rocksdb::Slice upper(end);
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> it(
        database_->NewIterator(options));
    // The chunk that begins before `from` may reach into it.
    it->SeekForPrev(
        ChunkKey(number, series, std::max(from, absl::UnixEpoch())));
    if (!it->Valid() || !it->key().starts_with(prefix)) it->Seek(prefix);
    const size_t begin = samples.size();
    for (; it->Valid() && it->key().starts_with(prefix); it->Next()) {
      if (absl::FromUnixMillis(
              static_cast<int64_t>(Read64(View(it->key()), 9))) >= to) {
        break;
      }
      FOREWARN_RETURN_IF_ERROR(
          DecodeChunk(View(it->value()), digits, samples));
    }
    FOREWARN_RETURN_IF_ERROR(FromRocks(it->status(), "read chunks"));
    samples.erase(std::remove_if(samples.begin() + begin, samples.end(),
                                 [&](const Sample& sample) {
                                   return sample.time < from ||
                                          sample.time >= to;
                                 }),
                  samples.end());
    return absl::OkStatus();
  }

  absl::Status ReadBatches(
      uint32_t number, const std::vector<uint8_t>& digits,
      const rocksdb::Snapshot* snapshot,
      const std::function<void(const wire::Tick&)>& accept) {
    const std::string prefix = EndpointPrefix(kBatchKind, number);
    std::vector<wire::Tick> ticks;
    return Scan(
        prefix, PrefixEnd(prefix),
        [&](absl::string_view, absl::string_view value) {
          ticks.clear();
          FOREWARN_RETURN_IF_ERROR(DecodeTicks(value, digits, ticks));
          for (const wire::Tick& tick : ticks) accept(tick);
          return absl::OkStatus();
        },
        snapshot);
  }

  // Whole batches of one endpoint become one chunk a series, in one write.
  absl::Status MakeChunks(uint32_t number) {
    uint64_t first = 0;
    uint64_t last = 0;
    std::vector<uint8_t> digits;
    {
      base::MutexLock lock(&mutex_);
      FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
      if (endpoint->next_order - endpoint->oldest_order <
          options_.batches_a_chunk) {
        return absl::OkStatus();
      }
      first = endpoint->oldest_order;
      last = first + options_.batches_a_chunk;
      digits = endpoint->digits;
    }
    std::vector<std::vector<Sample>> by_series(digits.size());
    std::vector<wire::Tick> ticks;
    FOREWARN_RETURN_IF_ERROR(
        Scan(BatchKey(number, first), BatchKey(number, last),
             [&](absl::string_view, absl::string_view value) {
               ticks.clear();
               FOREWARN_RETURN_IF_ERROR(DecodeTicks(value, digits, ticks));
               for (const wire::Tick& tick : ticks) {
                 for (const wire::Sample& sample : tick.samples) {
                   by_series[sample.series].push_back(
                       {tick.time, sample.value});
                 }
               }
               return absl::OkStatus();
             }));
    rocksdb::WriteBatch writes;
    for (uint32_t series = 0; series < by_series.size(); ++series) {
      std::vector<Sample>& samples = by_series[series];
      if (samples.empty()) continue;
      std::stable_sort(
          samples.begin(), samples.end(),
          [](const Sample& a, const Sample& b) { return a.time < b.time; });
      FOREWARN_RETURN_IF_ERROR(
          PutChunk(number, series, digits[series], samples, writes));
    }
    writes.DeleteRange(BatchKey(number, first), BatchKey(number, last));
    rocksdb::WriteOptions synced;
    synced.sync = true;
    FOREWARN_RETURN_IF_ERROR(
        FromRocks(database_->Write(synced, &writes), "write chunks"));
    base::MutexLock lock(&mutex_);
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
    endpoint->oldest_order = std::max(endpoint->oldest_order, last);
    return absl::OkStatus();
  }

  // A backlog may begin at a moment that a chunk already begins at: then both
  // become one.
  absl::Status PutChunk(uint32_t number, uint32_t series, uint32_t digits,
                        std::vector<Sample>& samples,
                        rocksdb::WriteBatch& writes) {
    const std::string key = ChunkKey(number, series, samples.front().time);
    std::string present;
    const rocksdb::Status read =
        database_->Get(rocksdb::ReadOptions(), key, &present);
    if (read.ok()) {
      FOREWARN_RETURN_IF_ERROR(DecodeChunk(present, digits, samples));
      std::stable_sort(
          samples.begin(), samples.end(),
          [](const Sample& a, const Sample& b) { return a.time < b.time; });
    } else if (!read.IsNotFound()) {
      return FromRocks(read, "read chunk");
    }
    writes.Put(key, EncodeChunk(samples, digits));
    return absl::OkStatus();
  }

  absl::Status DropBefore(uint32_t number, absl::Time cutoff) {
    FOREWARN_ASSIGN_OR_RETURN(const std::vector<uint8_t> digits,
                              Digits(number));
    rocksdb::WriteBatch writes;
    for (uint32_t series = 0; series < digits.size(); ++series) {
      const std::string prefix = ChunkPrefix(number, series);
      const std::unique_ptr<rocksdb::Iterator> it(
          database_->NewIterator(rocksdb::ReadOptions()));
      it->Seek(prefix);
      if (it->Valid() && it->key().starts_with(prefix) &&
          absl::FromUnixMillis(static_cast<int64_t>(
              Read64(View(it->key()), 9))) < cutoff) {
        writes.DeleteRange(prefix, ChunkKey(number, series, cutoff));
      }
    }
    const std::string events = EndpointPrefix(kEventKind, number);
    writes.DeleteRange(events, EventKey(number, cutoff, 0));
    return FromRocks(database_->Write(rocksdb::WriteOptions(), &writes),
                     "drop old history");
  }

  const RocksOptions options_;
  const std::unique_ptr<rocksdb::DB> database_;
  const std::string set_aside_;
  base::Mutex mutex_;
  absl::flat_hash_map<uint32_t, Endpoint> endpoints_ ABSL_GUARDED_BY(mutex_);
  uint32_t next_event_ ABSL_GUARDED_BY(mutex_) =
      static_cast<uint32_t>(absl::ToUnixSeconds(absl::Now()));
};

absl::StatusOr<std::unique_ptr<RocksStore>> RocksStore::Open(
    const RocksOptions& options) {
  FOREWARN_ASSIGN_OR_RETURN(
      OpenedEngine engine,
      OpenEngine(options.directory, options.cache_bytes));
  return std::unique_ptr<RocksStore>(new RocksStore(
      std::make_unique<Impl>(options, std::move(engine.database),
                             std::move(engine.set_aside))));
}

RocksStore::RocksStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksStore::~RocksStore() = default;

absl::StatusOr<std::vector<SeriesRecord>> RocksStore::LoadSeries(
    uint32_t endpoint) {
  return impl_->LoadSeries(endpoint);
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
absl::Status RocksStore::Replay(
    uint32_t endpoint, absl::Time from,
    const std::function<void(const wire::Tick&)>& accept) {
  return impl_->Replay(endpoint, from, accept);
}
absl::StatusOr<std::vector<v1::Event>> RocksStore::Events(uint32_t endpoint,
                                                          absl::Time from,
                                                          absl::Time to,
                                                          size_t limit) {
  return impl_->Events(endpoint, from, to, limit);
}
absl::Status RocksStore::Maintain(absl::Time now) {
  return impl_->Maintain(now);
}
absl::Status RocksStore::Flush() { return impl_->Flush(); }
const std::string& RocksStore::set_aside() const { return impl_->set_aside(); }

}  // namespace forewarn::history
