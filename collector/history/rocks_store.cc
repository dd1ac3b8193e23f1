#include "collector/history/rocks_store.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "collector/history/append_log.h"
#include "collector/history/history_keys.h"
#include "collector/history/log_entry.h"
#include "collector/history/open_block.h"
#include "collector/history/rocks_engine.h"
#include "collector/history/rollup_levels.h"
#include "collector/history/rollup_table.h"
#include "collector/history/sealed_block.h"
#include "collector/history/sealed_store.h"
#include "collector/history/tick_order.h"
#include "protos/base/deadline.h"
#include "protos/base/logging.h"
#include "protos/base/mutex.h"
#include "protos/base/record_log.h"
#include "protos/base/seeded_bug.h"
#include "protos/base/status.h"
#include "protos/wire/batch_codec.h"
#include "protos/wire/proto_time.h"

namespace forewarn::history {
namespace {

// So many batches may follow on one another: damage to the log loses at most
// these, of one endpoint.
constexpr uint32_t kBatchesAReset = 30;
// A block so many times its size is sealed, or nothing more is taken.
constexpr uint32_t kOverdue = 2;
const absl::Duration kRollSpan = SpanOf(RollupLevel::kFiveMinutes);
constexpr uint64_t kSegmentsKept = 3;
constexpr size_t kRecordBytes = 1 << 20;
// A span is rolled up once it is over for so long, and for so long at a time:
// the rest has its turn in the next maintenance.
constexpr absl::Duration kRollAfter = absl::Minutes(10);
constexpr absl::Duration kRollAtATime = absl::Seconds(2);
constexpr absl::Duration kRetentionEvery = absl::Hours(1);

}  // namespace

class RocksStore::Impl {
 public:
  Impl(RocksOptions options, OpenedEngine engine)
      : options_(std::move(options)),
        sealed_(std::move(engine.database)),
        rollups_(sealed_),
        set_aside_(std::move(engine.set_aside)) {}

  absl::Status OpenLog(base::Files& files) {
    base::MutexLock appending(&append_mutex_);
    FOREWARN_ASSIGN_OR_RETURN(
        log_, AppendLog::Open(
                  files,
                  options_.log_directory.empty() ? options_.directory + "/log"
                                                 : options_.log_directory,
                  [this](absl::string_view record, uint64_t segment) {
                    base::MutexLock lock(&mutex_);
                    Recover(record, segment);
                  }));
    return absl::OkStatus();
  }

  SealedStore& sealed() { return sealed_; }

  absl::Status Append(
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
      endpoint.first_segment =
          std::min(endpoint.first_segment, log_->segment());
      if (endpoint.open.ticks() >= options_.block_ticks) {
        LogIfBad(Seal(item.number, endpoint));
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> HighWater(uint32_t number, const wire::RunId& run) {
    base::MutexLock lock(&mutex_);
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
    FOREWARN_ASSIGN_OR_RETURN(uint64_t * mark, Mark(number, *endpoint, run));
    return *mark;
  }

  absl::StatusOr<std::vector<Sample>> Query(uint32_t number, uint32_t series,
                                            absl::Time from, absl::Time to) {
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

  absl::StatusOr<std::vector<Rollup>> QueryRollups(uint32_t number,
                                                   uint32_t series,
                                                   RollupLevel level,
                                                   absl::Time from,
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

  absl::Status Replay(uint32_t number, absl::Time from,
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
        number, from, absl::InfiniteFuture(), [&](const SealedBlock& block) {
          return block.ReadAll(digits, ticks);
        }));
    ticks.insert(ticks.end(), std::make_move_iterator(newest.begin()),
                 std::make_move_iterator(newest.end()));
    Arrange(ticks);
    for (const wire::Tick& tick : ticks) {
      if (tick.time >= from) accept(tick);
    }
    return absl::OkStatus();
  }

  absl::Status Maintain(absl::Time now) {
    FOREWARN_RETURN_IF_ERROR(CheckRoom());
    // After a full disk the database waits to be told that there is room.
    FOREWARN_RETURN_IF_ERROR(sealed_.Resume());
    FOREWARN_RETURN_IF_ERROR(ShortenLog(kSegmentsKept));
    FOREWARN_RETURN_IF_ERROR(RollUp(now));
    if (now - last_retention_ < kRetentionEvery) return absl::OkStatus();
    last_retention_ = now;
    FOREWARN_RETURN_IF_ERROR(sealed_.DropBefore(now - options_.raw_retention));
    FOREWARN_RETURN_IF_ERROR(sealed_.DropRollupsBefore(
        RollupLevel::kFiveMinutes, now - options_.five_minute_retention));
    FOREWARN_RETURN_IF_ERROR(sealed_.DropRollupsBefore(
        RollupLevel::kHour, now - options_.hour_retention));
    return sealed_.KeepWithin(options_.max_bytes, now);
  }

  absl::Status Flush() {
    FOREWARN_RETURN_IF_ERROR(CheckRoom());
    {
      base::MutexLock appending(&append_mutex_);
      log_->Roll();
    }
    FOREWARN_RETURN_IF_ERROR(ShortenLog(0));
    return sealed_.Compact();
  }

  const std::string& set_aside() const { return set_aside_; }

  absl::Status CheckRoom() const {
    return history::CheckRoom(options_.directory, options_.min_free_bytes);
  }

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

  static void LogIfBad(const absl::Status& status) {
    if (status.ok()) return;
    base::Log(base::LogLevel::kError, "history waits in its log",
              {{"reason", base::ToLine(status)}});
  }

  // The endpoint's state, read from the database on first use. Pointers stay
  // good.
  absl::StatusOr<Endpoint*> Find(uint32_t number)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (const auto it = endpoints_.find(number); it != endpoints_.end()) {
      return it->second.get();
    }
    auto endpoint = std::make_unique<Endpoint>();
    FOREWARN_ASSIGN_OR_RETURN(const std::vector<SeriesRecord> records,
                              sealed_.LoadSeries(number));
    for (const SeriesRecord& record : records) Know(record, *endpoint);
    FOREWARN_ASSIGN_OR_RETURN(endpoint->order,
                              sealed_.Number(SealedKey(number)));
    FOREWARN_ASSIGN_OR_RETURN(const uint64_t rolled,
                              sealed_.Number(RolledKey(number)));
    endpoint->rolled = absl::FromUnixMillis(static_cast<int64_t>(rolled));
    return (endpoints_[number] = std::move(endpoint)).get();
  }

  static void Know(const SeriesRecord& record, Endpoint& endpoint) {
    if (endpoint.digits.size() <= record.series) {
      endpoint.digits.resize(record.series + 1);
    }
    endpoint.digits[record.series] =
        static_cast<uint8_t>(record.definition.digits);
  }

  absl::StatusOr<uint64_t*> Mark(uint32_t number, Endpoint& endpoint,
                                 const wire::RunId& run)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
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

  absl::Status Collect(
      absl::Span<const std::pair<uint32_t, SeriesRecord>> new_series,
      absl::Span<const EndpointBatch> batches, Group& group)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
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

  absl::Status Collect(const EndpointBatch& item, std::string& record,
                       Group& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
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

  static uint32_t EventNumber(const BatchEntry& entry, size_t index) {
    const std::string id = absl::StrCat(entry.sequence, "/", index);
    return base::Crc32c(id, base::Crc32c(absl::string_view(
                                reinterpret_cast<const char*>(entry.run.data()),
                                entry.run.size())));
  }

  // Keys by run and sequence: a batch that stands in the log twice, once
  // refused and once sent again, has its events once.
  static void PutEvents(const BatchEntry& entry, rocksdb::WriteBatch& writes) {
    for (size_t i = 0; i < entry.events.size(); ++i) {
      v1::Event event;
      if (!event.ParseFromArray(entry.events[i].data(),
                                static_cast<int>(entry.events[i].size()))) {
        continue;
      }
      const absl::Time time = wire::ToTime(event.time());
      writes.Put(
          EventKey(entry.endpoint, std::max(time, absl::UnixEpoch()),
                   EventNumber(entry, i)),
          rocksdb::Slice(entry.events[i].data(), entry.events[i].size()));
    }
  }

  void TakeBack(const Undo& undo) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    undo.endpoint->open.Rollback(undo.open);
    if (!base::Seeded(base::Bug::kMarkOutsideGroup)) {
      undo.endpoint->high_water[undo.run] = undo.high_water;
    }
    // The order is not given again: the entry may be in the log after all.
  }

  // One record of the log at the start.
  void Recover(absl::string_view record, uint64_t segment)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    EntryReader reader(record);
    rocksdb::WriteBatch writes;
    SeriesEntry series;
    BatchEntry batch;
    for (;;) {
      const auto kind = reader.Next(series, batch);
      if (!kind.ok()) LogIfBad(kind.status());
      if (!kind.ok() || *kind == EntryReader::Kind::kEnd) break;
      if (*kind == EntryReader::Kind::kSeries) {
        v1::SeriesDefinition proto;
        const auto endpoint = Find(series.endpoint);
        if (!endpoint.ok() ||
            !proto.ParseFromArray(series.definition.data(),
                                  static_cast<int>(series.definition.size()))) {
          continue;
        }
        Know({series.series, wire::FromProto(proto)}, **endpoint);
        writes.Put(
            SeriesKey(series.endpoint, series.series),
            rocksdb::Slice(series.definition.data(), series.definition.size()));
      } else {
        PutEvents(batch, writes);
        LogIfBad(RecoverBatch(batch, segment));
      }
    }
    LogIfBad(sealed_.Write(writes));
  }

  absl::Status RecoverBatch(const BatchEntry& batch, uint64_t segment)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(batch.endpoint));
    FOREWARN_ASSIGN_OR_RETURN(uint64_t * mark,
                              Mark(batch.endpoint, *endpoint, batch.run));
    if (batch.order <= endpoint->order) return absl::OkStatus();  // sealed
    const bool follows = batch.order == endpoint->order + 1 &&
                         !endpoint->open.empty() && !endpoint->link_lost;
    endpoint->order = batch.order;
    // The same batch twice: once refused, yet in the log, and sent again.
    // Its rows stay, as what follows may refer to them; a query sees one.
    *mark = std::max(*mark, batch.sequence);
    if (batch.rows.empty()) return absl::OkStatus();
    endpoint->link_lost = !follows && !OpenBlock::IsReset(batch.rows);
    if (endpoint->link_lost) {
      return absl::DataLossError(absl::StrCat("a batch of endpoint ",
                                              batch.endpoint,
                                              " follows on one that is lost"));
    }
    endpoint->open.AppendRows(batch.rows, batch.ticks);
    endpoint->first_segment = std::min(endpoint->first_segment, segment);
    return absl::OkStatus();
  }

  // What a restart read back from the log may be many blocks; so may what the
  // database refused.
  absl::Status SealIfOverdue(uint32_t number)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
    if (endpoint->open.ticks() < kOverdue * options_.block_ticks) {
      return absl::OkStatus();
    }
    return Seal(number, *endpoint);
  }

  // Writes the open block into the database and empties it.
  absl::Status Seal(uint32_t number, Endpoint& endpoint)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<wire::Tick> ticks;
    const absl::Status read = endpoint.open.Read(endpoint.digits, ticks);
    // What can be read is kept; the rest would only be read in vain again.
    LogIfBad(read);
    Arrange(ticks);
    rocksdb::WriteBatch writes;
    for (size_t begin = 0; begin < ticks.size();) {
      size_t end = begin + 1;
      while (end < ticks.size() && end - begin < options_.block_ticks &&
             ticks[end].time - ticks[begin].time < kBlockSpan) {
        ++end;
      }
      writes.Put(
          BlockKey(number, ticks[begin].time, endpoint.order),
          SealBlock(absl::MakeConstSpan(ticks).subspan(begin, end - begin),
                    endpoint.digits));
      begin = end;
    }
    writes.Put(SealedKey(number), Bytes64(endpoint.order));
    // Samples of a span that was rolled up without them.
    if (!ticks.empty() && ticks.front().time < endpoint.rolled) {
      MarkRolled(number, FloorTo(ticks.front().time, kRollSpan), endpoint,
                 writes);
    }
    for (const auto& [run, mark] : endpoint.high_water) {
      writes.Put(HighWaterKey(number, run), Bytes64(mark));
    }
    FOREWARN_RETURN_IF_ERROR(sealed_.Write(writes));
    endpoint.open.Clear();
    endpoint.since_reset = 0;
    endpoint.first_segment = std::numeric_limits<uint64_t>::max();
    return absl::OkStatus();
  }

  static void MarkRolled(uint32_t number, absl::Time rolled, Endpoint& endpoint,
                         rocksdb::WriteBatch& writes) {
    endpoint.rolled = rolled;
    writes.Put(RolledKey(number),
               Bytes64(static_cast<uint64_t>(absl::ToUnixMillis(rolled))));
  }

  // The first moment from `from` on that may have samples.
  absl::StatusOr<absl::Time> NextFrom(uint32_t number, absl::Time from) {
    FOREWARN_ASSIGN_OR_RETURN(const absl::Time sealed,
                              sealed_.FirstFrom(number, from));
    base::MutexLock lock(&mutex_);
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
    return endpoint->open.empty() ? sealed : from;
  }

  absl::Status RollUp(absl::Time now) {
    const base::Deadline turn(kRollAtATime);
    FOREWARN_ASSIGN_OR_RETURN(const std::vector<uint32_t> numbers,
                              sealed_.Endpoints());
    for (const uint32_t number : numbers) {
      bool more = true;
      while (more) {
        if (turn.Left() == absl::ZeroDuration()) return absl::OkStatus();
        FOREWARN_ASSIGN_OR_RETURN(more, RollUp(number, now));
      }
    }
    return absl::OkStatus();
  }

  // One span of one endpoint, if there is one to roll up.
  absl::StatusOr<bool> RollUp(uint32_t number, absl::Time now) {
    absl::Time rolled;
    {
      base::MutexLock lock(&mutex_);
      FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
      rolled = endpoint->rolled;
    }
    if (now < rolled + kRollSpan + kRollAfter) return false;
    FOREWARN_ASSIGN_OR_RETURN(const absl::Time first,
                              sealed_.FirstFrom(number, rolled));
    const absl::Time begin = std::max(rolled, FloorTo(first, kRollSpan));
    const absl::Time end = begin + kRollSpan;
    if (now < end + kRollAfter) return false;
    std::vector<uint8_t> digits;
    {
      base::MutexLock appending(&append_mutex_);
      base::MutexLock lock(&mutex_);
      FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
      if (!endpoint->open.empty()) {
        FOREWARN_RETURN_IF_ERROR(Seal(number, *endpoint));
      }
      // What was sealed may have been of a span before.
      if (endpoint->rolled != rolled) return true;
      digits = endpoint->digits;
    }
    rocksdb::WriteBatch writes;
    FOREWARN_RETURN_IF_ERROR(rollups_.Roll(number, begin, digits, writes));
    base::MutexLock lock(&mutex_);
    FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
    // Else samples of the past were sealed meanwhile: again, from there on.
    if (endpoint->rolled == rolled) {
      MarkRolled(number, end, *endpoint, writes);
    }
    FOREWARN_RETURN_IF_ERROR(sealed_.Write(writes));
    return true;
  }

  // Seals what the segments before the newest `kept` hold, and drops these.
  absl::Status ShortenLog(uint64_t kept) {
    uint64_t before = 0;
    std::vector<uint32_t> numbers;
    {
      base::MutexLock appending(&append_mutex_);
      const uint64_t current = log_->segment();
      if (current < log_->oldest() + kept ||
          (kept > 0 && current - log_->oldest() <= kept)) {
        return absl::OkStatus();
      }
      before = current - kept;
      base::MutexLock lock(&mutex_);
      for (const auto& [number, endpoint] : endpoints_) {
        if (endpoint->first_segment < before) numbers.push_back(number);
      }
    }
    for (const uint32_t number : numbers) {
      base::MutexLock appending(&append_mutex_);
      base::MutexLock lock(&mutex_);
      FOREWARN_RETURN_IF_ERROR(Seal(number, *endpoints_[number]));
    }
    FOREWARN_RETURN_IF_ERROR(sealed_.Flush());
    base::MutexLock appending(&append_mutex_);
    return log_->DropBefore(before);
  }

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

absl::StatusOr<std::unique_ptr<RocksStore>> RocksStore::Open(
    const RocksOptions& options, base::Files& files) {
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  FOREWARN_RETURN_IF_ERROR(
      CheckRoom(options.directory, options.min_free_bytes));
  FOREWARN_ASSIGN_OR_RETURN(OpenedEngine engine,
                            OpenEngine(options.directory, options.cache_bytes));
  auto impl = std::make_unique<Impl>(options, std::move(engine));
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
