// How batches come into the store.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "collector/history/history_keys.h"
#include "collector/history/rocks_engine.h"
#include "collector/history/rocks_store_impl.h"
#include "protos/base/crc32c.h"
#include "protos/base/logging.h"
#include "protos/base/seeded_bug.h"
#include "protos/base/status.h"
#include "protos/wire/batch_codec.h"
#include "protos/wire/proto_time.h"

namespace forewarn::history {
namespace {

// So many batches may follow on one another: damage to the log loses at most
// these, of one endpoint.
constexpr uint32_t kBatchesAReset = 30;
constexpr size_t kRecordBytes = 1 << 20;

}  // namespace

absl::Status RocksStore::Impl::Append(
    absl::Span<const std::pair<uint32_t, SeriesRecord>> new_series,
    absl::Span<const EndpointBatch> batches) {
  base::MutexLock appending(&append_mutex_);
  FOREWARN_RETURN_IF_ERROR(CheckRoom());
  Group group;
  absl::Status status;
  {
    base::MutexLock lock(&mutex_);
    for (const EndpointBatch& batch : batches) {
      FOREWARN_RETURN_IF_ERROR(SealIfOverdue(batch.endpoint));
    }
    status = Collect(new_series, batches, group);
  }
  if (status.ok() && group.records.empty()) return status;
  if (status.ok()) {
    if (log_->segment_bytes() >= options_.segment_bytes) log_->Roll();
    status = log_->Append(group.records);
  }
  base::MutexLock lock(&mutex_);
  if (!status.ok()) {
    for (auto it = group.undo.rbegin(); it != group.undo.rend(); ++it) {
      TakeBack(*it);
    }
    return status;
  }
  // From here on it is kept; what the database refuses now it gets later.
  LogIfBad(sealed_.Write(group.writes));
  for (const Undo& item : group.undo) {
    Endpoint& endpoint = *item.endpoint;
    endpoint.first_segment = std::min(endpoint.first_segment, log_->segment());
    if (endpoint.open.ticks() >= options_.block_ticks) {
      LogIfBad(Seal(item.number, endpoint));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> RocksStore::Impl::HighWater(uint32_t number,
                                                     const wire::RunId& run) {
  base::MutexLock lock(&mutex_);
  FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
  FOREWARN_ASSIGN_OR_RETURN(uint64_t * mark, Mark(number, *endpoint, run));
  return *mark;
}

absl::Status RocksStore::Impl::CheckRoom() const {
  return history::CheckRoom(options_.directory, options_.min_free_bytes);
}

void RocksStore::Impl::LogIfBad(const absl::Status& status) {
  if (status.ok()) return;
  base::Log(base::LogLevel::kError, "history waits in its log",
            {{"reason", base::ToLine(status)}});
}

absl::StatusOr<RocksStore::Impl::Endpoint*> RocksStore::Impl::Find(
    uint32_t number) {
  if (const auto it = endpoints_.find(number); it != endpoints_.end()) {
    return it->second.get();
  }
  auto endpoint = std::make_unique<Endpoint>();
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<SeriesRecord> records,
                            sealed_.LoadSeries(number));
  for (const SeriesRecord& record : records) Know(record, *endpoint);
  FOREWARN_ASSIGN_OR_RETURN(endpoint->order, sealed_.Number(SealedKey(number)));
  FOREWARN_ASSIGN_OR_RETURN(const uint64_t rolled,
                            sealed_.Number(RolledKey(number)));
  endpoint->rolled = absl::FromUnixMillis(static_cast<int64_t>(rolled));
  return (endpoints_[number] = std::move(endpoint)).get();
}

void RocksStore::Impl::Know(const SeriesRecord& record, Endpoint& endpoint) {
  if (endpoint.digits.size() <= record.series) {
    endpoint.digits.resize(record.series + 1);
  }
  endpoint.digits[record.series] =
      static_cast<uint8_t>(record.definition.digits);
}

absl::StatusOr<uint64_t*> RocksStore::Impl::Mark(uint32_t number,
                                                 Endpoint& endpoint,
                                                 const wire::RunId& run) {
  if (const auto it = endpoint.high_water.find(run);
      it != endpoint.high_water.end()) {
    return &it->second;
  }
  FOREWARN_ASSIGN_OR_RETURN(const uint64_t stored,
                            sealed_.Number(HighWaterKey(number, run)));
  uint64_t& mark = endpoint.high_water[run];
  mark = stored;
  return &mark;
}

absl::Status RocksStore::Impl::Collect(
    absl::Span<const std::pair<uint32_t, SeriesRecord>> new_series,
    absl::Span<const EndpointBatch> batches, Group& group) {
  std::string record;
  const auto next = [&] {
    if (record.size() < kRecordBytes) return;
    group.records.push_back(std::move(record));
    record.clear();
  };
  for (const auto& [number, series] : new_series) {
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
    Know(series, *endpoint);
    v1::SeriesDefinition proto;
    wire::ToProto(series.definition, proto);
    const std::string definition = proto.SerializeAsString();
    AppendEntry(SeriesEntry{number, series.series, definition}, record);
    group.writes.Put(SeriesKey(number, series.series), definition);
    next();
  }
  for (const EndpointBatch& batch : batches) {
    FOREWARN_RETURN_IF_ERROR(Collect(batch, record, group));
    next();
  }
  if (!record.empty()) group.records.push_back(std::move(record));
  return absl::OkStatus();
}

absl::Status RocksStore::Impl::Collect(const EndpointBatch& item,
                                       std::string& record, Group& group) {
  const wire::Batch& batch = item.batch;
  FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(item.endpoint));
  FOREWARN_ASSIGN_OR_RETURN(uint64_t * mark,
                            Mark(item.endpoint, *endpoint, batch.run_id));
  if (batch.sequence <= *mark) return absl::OkStatus();
  for (const wire::Tick& tick : batch.ticks) {
    for (const wire::Sample& sample : tick.samples) {
      if (sample.series >= endpoint->digits.size()) {
        return absl::InternalError("sample of a series without definition");
      }
    }
  }
  group.undo.push_back(
      {item.endpoint, endpoint, endpoint->open.mark(), batch.run_id, *mark});
  const bool reset = ++endpoint->since_reset >= kBatchesAReset;
  if (reset) endpoint->since_reset = 0;
  BatchEntry entry;
  entry.endpoint = item.endpoint;
  entry.order = ++endpoint->order;
  entry.run = batch.run_id;
  entry.sequence = *mark = batch.sequence;
  entry.ticks = static_cast<uint32_t>(batch.ticks.size());
  entry.rows = endpoint->open.Append(batch.ticks, endpoint->digits, reset);
  std::vector<std::string> events;
  for (const v1::Event& event : batch.events) {
    events.push_back(event.SerializeAsString());
  }
  entry.events.assign(events.begin(), events.end());
  PutEvents(entry, group.writes);
  AppendEntry(entry, record);
  return absl::OkStatus();
}

uint32_t RocksStore::Impl::EventNumber(const BatchEntry& entry, size_t index) {
  const std::string id = absl::StrCat(entry.sequence, "/", index);
  return base::Crc32c(id, base::Crc32c(absl::string_view(
                              reinterpret_cast<const char*>(entry.run.data()),
                              entry.run.size())));
}

void RocksStore::Impl::PutEvents(const BatchEntry& entry,
                                 rocksdb::WriteBatch& writes) {
  for (size_t i = 0; i < entry.events.size(); ++i) {
    v1::Event event;
    if (!event.ParseFromArray(entry.events[i].data(),
                              static_cast<int>(entry.events[i].size()))) {
      continue;
    }
    const absl::Time time = wire::ToTime(event.time());
    writes.Put(EventKey(entry.endpoint, std::max(time, absl::UnixEpoch()),
                        EventNumber(entry, i)),
               rocksdb::Slice(entry.events[i].data(), entry.events[i].size()));
  }
}

void RocksStore::Impl::TakeBack(const Undo& undo) {
  undo.endpoint->open.Rollback(undo.open);
  if (!base::Seeded(base::Bug::kMarkOutsideGroup)) {
    undo.endpoint->high_water[undo.run] = undo.high_water;
  }
  // The order is not given again: the entry may be in the log after all.
}

}  // namespace forewarn::history
