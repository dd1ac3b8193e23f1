#include "agent/spool/spool.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "protos/base/logging.h"
#include "protos/base/seeded_bug.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

using base::Log;
using base::LogLevel;

constexpr absl::string_view kFull = "spool full";
constexpr absl::string_view kUnwritable = "spool not writable";
constexpr absl::string_view kDamaged = "spool damaged";

// While the disk refuses, so many times the memory's share may wait.
constexpr uint64_t kMemoryStretch = 4;

void SetTime(absl::Time time, google::protobuf::Timestamp& out) {
  const int64_t ms = absl::ToUnixMillis(time);
  out.set_seconds(ms / 1000);
  out.set_nanos(static_cast<int32_t>(ms % 1000 * 1000000));
}

v1::Gap GapOf(const RecordSummary& summary, absl::string_view reason) {
  v1::Gap gap;
  SetTime(summary.from, *gap.mutable_from());
  SetTime(summary.to, *gap.mutable_to());
  gap.set_samples(summary.samples);
  gap.set_reason(std::string(reason));
  return gap;
}

bool Before(const google::protobuf::Timestamp& a,
            const google::protobuf::Timestamp& b) {
  return a.seconds() != b.seconds() ? a.seconds() < b.seconds()
                                    : a.nanos() < b.nanos();
}

uint64_t SegmentBytes(uint64_t limit) {
  return std::clamp(limit / 256, uint64_t{16} << 10, uint64_t{16} << 20);
}

}  // namespace

Spool::Spool(base::Files& files, Options options, const wire::RunId& run)
    : options_(std::move(options)),
      segment_bytes_(SegmentBytes(options_.limit_bytes)),
      run_(run),
      folder_(files, options_.folder) {
  base::MutexLock lock(&mutex_);
  totals_.limit_bytes = options_.limit_bytes;
  absl::StatusOr<SpoolFolder::Recovered> recovered = folder_.Recover();
  if (!recovered.ok()) {
    totals_.disk = recovered.status();
    Log(LogLevel::kError, "spool unusable; batches are kept in memory only",
        {{"error", base::ToLine(recovered.status())}});
    return;
  }
  next_number_ = recovered->next_number;
  for (Segment& segment : recovered->segments) {
    segment.first_position = next_position_;
    next_position_ += segment.records;
    disk_bytes_ += segment.bytes;
    segments_.push_back(std::move(segment));
  }
  if (recovered->damaged_bytes > 0) {
    totals_.damaged_bytes = recovered->damaged_bytes;
    v1::Gap gap;
    gap.set_reason(absl::StrCat(kDamaged, ": ", recovered->damaged_bytes,
                                " bytes set aside"));
    gaps_.push_back(gap);
  }
  MakeRoom(0);
}

void Spool::Append(wire::Batch batch,
                   const wire::SeriesDictionary& dictionary) {
  base::MutexLock lock(&mutex_);
  AppendLocked(std::move(batch), dictionary);
}

uint64_t Spool::BeginRun(const wire::RunId& run) {
  base::MutexLock lock(&mutex_);
  run_ = run;
  sequence_ = 0;
  return next_position_;
}

wire::RunId Spool::run() const {
  base::MutexLock lock(&mutex_);
  return run_;
}

uint64_t Spool::backlog() {
  base::MutexLock lock(&mutex_);
  uint64_t batches = waiting_.size();
  for (Segment& segment : segments_) {
    if (!IsDone(segment)) batches += segment.records;
  }
  // Of the first segment a part may be done.
  if (segments_.empty() || IsDone(segments_.front())) return batches;
  if (const LoadedSegment* loaded = Load(segments_.front())) {
    batches -= static_cast<uint64_t>(std::count_if(
        loaded->summaries.begin(), loaded->summaries.end(),
        [this](const RecordSummary& summary)
            ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return IsDone(summary); }));
  }
  return batches;
}

void Spool::AppendLocked(wire::Batch batch,
                         const wire::SeriesDictionary& dictionary) {
  // Room first, so that this very batch can tell what it cost.
  MakeRoom(last_record_bytes_);
  batch.run_id = run_;
  batch.sequence = ++sequence_;
  batch.gaps.insert(batch.gaps.end(), gaps_.begin(), gaps_.end());
  gaps_.clear();
  Waiting waiting{.position = next_position_,
                  .summary = Summarise(batch),
                  .record = EncodeRecord(batch, dictionary)};
  last_record_bytes_ = waiting.record.size() + base::kRecordHeadBytes;
  if (last_record_bytes_ >
      std::min(base::kMaxRecordBytes, options_.limit_bytes)) {
    TellDropped(waiting.summary, waiting.record, "batch larger than the spool");
    return;
  }
  ++next_position_;
  waiting_bytes_ += waiting.record.size();
  waiting_.push_back(std::move(waiting));
  MakeRoom(0);
  if (!connected_ || waiting_bytes_ > options_.memory_bytes) {
    // The reason is in the totals and the log; the batches still wait.
    WriteOut().IgnoreError();
    BoundMemory();
  }
}

absl::Status Spool::WriteOut() {
  size_t synced = 0;
  const absl::Status status = WriteWaiting(synced);
  for (size_t i = 0; i < synced; ++i) {
    waiting_bytes_ -= waiting_.front().record.size();
    waiting_.pop_front();
  }
  if (!status.ok() && totals_.disk.ok()) {
    Log(LogLevel::kError, "spool not writable; batches wait in memory",
        {{"error", base::ToLine(status)}});
  } else if (status.ok() && !totals_.disk.ok()) {
    Log(LogLevel::kInfo, "spool writable again");
  }
  totals_.disk = status;
  return status;
}

absl::Status Spool::WriteWaiting(size_t& synced) {
  // Counts a record only after its sync: until then it stays in memory.
  size_t begun = 0;
  const auto sync = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    FOREWARN_RETURN_IF_ERROR(writer_->Sync());
    Segment& segment = segments_.back();
    if (segment.records == 0) FOREWARN_RETURN_IF_ERROR(folder_.SyncNames());
    for (; synced < begun; ++synced) segment.Add(waiting_[synced].summary);
    disk_bytes_ += writer_->bytes() - segment.bytes;
    segment.bytes = writer_->bytes();
    return absl::OkStatus();
  };
  absl::Status status;
  while (status.ok() && begun < waiting_.size()) {
    // Positions within a segment have no holes.
    if (writer_ != nullptr && begun == synced &&
        segments_.back().first_position + segments_.back().records !=
            waiting_[begun].position) {
      writer_.reset();
    }
    if (writer_ == nullptr) {
      absl::StatusOr<std::unique_ptr<base::RecordWriter>> writer =
          folder_.Create(next_number_);
      status = writer.status();
      if (!status.ok()) break;
      writer_ = *std::move(writer);
      segments_.push_back({.number = next_number_++,
                           .first_position = waiting_[begun].position});
    }
    status = writer_->Append(waiting_[begun].record);
    if (!status.ok()) break;
    ++begun;
    if (writer_->bytes() >= segment_bytes_ || begun == waiting_.size()) {
      status = sync();
      if (status.ok() && writer_->bytes() >= segment_bytes_) writer_.reset();
    }
  }
  if (!status.ok()) ForgetFailedWrite();
  return status;
}

void Spool::ForgetFailedWrite() {
  if (writer_ == nullptr) return;
  writer_.reset();
  if (segments_.back().records > 0) return;
  // Nothing in it counts; what cannot be removed now is found at the next
  // start, and sent twice does no harm.
  folder_.Remove(segments_.back().number).IgnoreError();
  segments_.pop_back();
}

void Spool::MakeRoom(uint64_t needed) {
  while (disk_bytes_ + waiting_bytes_ + needed > options_.limit_bytes) {
    if (!segments_.empty()) {
      DropOldestSegment();
    } else if (!waiting_.empty()) {
      DropOldestWaiting(kFull);
    } else {
      return;
    }
  }
}

void Spool::BoundMemory() {
  while (waiting_bytes_ > kMemoryStretch * options_.memory_bytes &&
         waiting_.size() > 1) {
    DropOldestWaiting(kUnwritable);
  }
}

void Spool::DropOldestSegment() {
  if (const LoadedSegment* loaded = Load(segments_.front())) {
    for (size_t i = 0; i < loaded->records.size(); ++i) {
      if (!IsDone(loaded->summaries[i])) {
        TellDropped(loaded->summaries[i], loaded->records[i], kFull);
      }
    }
  }
  RemoveFrontSegment();
}

void Spool::DropOldestWaiting(absl::string_view reason) {
  TellDropped(waiting_.front().summary, waiting_.front().record, reason);
  waiting_bytes_ -= waiting_.front().record.size();
  waiting_.pop_front();
}

void Spool::TellDropped(const RecordSummary& summary, absl::string_view record,
                        absl::string_view reason) {
  totals_.dropped_samples += summary.samples;
  TellGap(GapOf(summary, reason));
  const absl::StatusOr<WholeBatch> whole = DecodeRecord(record);
  if (!whole.ok()) return;
  for (const v1::Gap& gap : whole->batch.gaps) TellGap(gap);
}

// One gap a reason, so that their number stays small.
void Spool::TellGap(const v1::Gap& gap) {
  for (v1::Gap& known : gaps_) {
    if (known.reason() != gap.reason()) continue;
    if (Before(gap.from(), known.from())) *known.mutable_from() = gap.from();
    if (Before(known.to(), gap.to())) *known.mutable_to() = gap.to();
    known.set_samples(known.samples() + gap.samples());
    return;
  }
  constexpr size_t kMaxReasons = 32;
  if (gaps_.size() < kMaxReasons) gaps_.push_back(gap);
}

bool Spool::IsDone(const RecordSummary& summary) const {
  const auto it = acked_.find(summary.run);
  return (it != acked_.end() && it->second >= summary.sequence) ||
         given_up_.count({summary.run, summary.sequence}) > 0;
}

bool Spool::IsDone(Segment& segment) {
  if (segment.records == 0) return false;
  bool all_acked = true;
  bool all_settled = true;  // acknowledged, or the last ones given up
  for (const auto& [run, last] : segment.runs) {
    const auto it = acked_.find(run);
    const bool acked = it != acked_.end() && it->second >= last;
    all_acked &= acked;
    all_settled &= acked || given_up_.count({run, last}) > 0;
  }
  if (all_acked || !all_settled) return all_acked;
  const LoadedSegment* loaded = Load(segment);
  return loaded != nullptr &&
         std::all_of(loaded->summaries.begin(), loaded->summaries.end(),
                     [this](const RecordSummary& summary)
                         ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
                           return IsDone(summary);
                         });
}

void Spool::AckThrough(const wire::RunId& run, uint64_t sequence) {
  base::MutexLock lock(&mutex_);
  uint64_t& acked = acked_[run];
  acked = std::max(acked, sequence);
  given_up_.erase(given_up_.lower_bound({run, 0}),
                  given_up_.upper_bound({run, acked}));
  ReleaseDone();
}

void Spool::ReleaseDone() {
  while (!segments_.empty() && IsDone(segments_.front())) {
    RemoveFrontSegment();
  }
  // Not only in front: what is new may be acknowledged before a backlog.
  std::erase_if(waiting_, [this](const Waiting& waiting)
                              ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
                                if (!IsDone(waiting.summary)) return false;
                                waiting_bytes_ -= waiting.record.size();
                                return true;
                              });
  // A run of which nothing is left needs no memory of its own.
  if (segments_.empty() && waiting_.empty()) {
    std::erase_if(acked_,
                  [this](const auto& item) { return item.first != run_; });
    std::erase_if(given_up_,
                  [this](const Key& key) { return key.first != run_; });
  }
}

void Spool::RemoveFrontSegment() {
  const Segment& segment = segments_.front();
  if (writer_ != nullptr && segments_.size() == 1) writer_.reset();
  if (loaded_ != nullptr && loaded_->number == segment.number) {
    loaded_.reset();
  }
  const absl::Status status = folder_.Remove(segment.number);
  if (!status.ok() && !absl::IsNotFound(status)) {
    Log(LogLevel::kWarning, "spool segment not removed",
        {{"error", base::ToLine(status)}});
  }
  disk_bytes_ -= segment.bytes;
  segments_.pop_front();
}

const LoadedSegment* Spool::Load(Segment& segment) {
  if (segment.unreadable) return nullptr;
  if (loaded_ != nullptr && loaded_->number == segment.number &&
      loaded_->records.size() == segment.records) {
    return loaded_.get();
  }
  loaded_.reset();
  absl::StatusOr<std::unique_ptr<LoadedSegment>> loaded = folder_.Load(segment);
  if (!loaded.ok()) {
    segment.unreadable = true;
    Log(LogLevel::kWarning, "spool segment unreadable",
        {{"error", base::ToLine(loaded.status())}});
    return nullptr;
  }
  loaded_ = *std::move(loaded);
  return loaded_.get();
}

std::optional<Spool::Entry> Spool::Peek(uint64_t position) {
  base::MutexLock lock(&mutex_);
  while (base::Seeded(base::Bug::kUnlinkBeforeAck) && !segments_.empty() &&
         segments_.front().first_position + segments_.front().records <=
             position) {
    RemoveFrontSegment();
  }
  if (std::optional<Entry> entry = PeekSegments(position)) return entry;
  for (const Waiting& waiting : waiting_) {
    if (waiting.position < position || IsDone(waiting.summary)) continue;
    std::optional<Entry> entry =
        Unpack(waiting.position, waiting.summary, waiting.record);
    if (entry.has_value()) return entry;
  }
  return std::nullopt;
}

std::optional<Spool::Entry> Spool::PeekSegments(uint64_t position) {
  for (Segment& segment : segments_) {
    if (segment.first_position + segment.records <= position) continue;
    const LoadedSegment* loaded = Load(segment);
    if (loaded == nullptr) continue;
    for (size_t i = position > segment.first_position
                        ? position - segment.first_position
                        : 0;
         i < loaded->records.size(); ++i) {
      if (IsDone(loaded->summaries[i])) continue;
      std::optional<Entry> entry = Unpack(
          segment.first_position + i, loaded->summaries[i], loaded->records[i]);
      if (entry.has_value()) return entry;
    }
  }
  return std::nullopt;
}

std::optional<Spool::Entry> Spool::Unpack(uint64_t position,
                                          const RecordSummary& summary,
                                          absl::string_view record) {
  absl::StatusOr<WholeBatch> whole = DecodeRecord(record);
  if (whole.ok()) return Entry{position, *std::move(whole)};
  Log(LogLevel::kWarning, "spooled batch unreadable",
      {{"sequence", summary.sequence},
       {"error", base::ToLine(whole.status())}});
  totals_.dropped_samples += summary.samples;
  TellGap(GapOf(summary, kDamaged));
  given_up_.insert({summary.run, summary.sequence});
  return std::nullopt;
}

void Spool::Drop(const wire::RunId& run, uint64_t sequence,
                 absl::string_view reason) {
  base::MutexLock lock(&mutex_);
  RecordSummary found{.run = run,
                      .sequence = sequence,
                      .from = absl::UnixEpoch(),
                      .to = absl::UnixEpoch()};
  for (const Waiting& waiting : waiting_) {
    if (waiting.summary.run == run && waiting.summary.sequence == sequence) {
      found = waiting.summary;
    }
  }
  if (loaded_ != nullptr) {
    for (const RecordSummary& summary : loaded_->summaries) {
      if (summary.run == run && summary.sequence == sequence) found = summary;
    }
  }
  totals_.dropped_samples += found.samples;
  TellGap(GapOf(found, reason));
  given_up_.insert({run, sequence});
  ReleaseDone();
}

void Spool::SetConnected(bool connected) {
  base::MutexLock lock(&mutex_);
  connected_ = connected;
  if (!connected && !waiting_.empty()) {
    WriteOut().IgnoreError();  // as in AppendLocked
    BoundMemory();
  }
}

absl::Status Spool::Flush() {
  base::MutexLock lock(&mutex_);
  if (!gaps_.empty()) AppendLocked({}, wire::SeriesDictionary());
  return WriteOut();
}

Spool::Totals Spool::totals() const {
  base::MutexLock lock(&mutex_);
  Totals totals = totals_;
  totals.bytes = disk_bytes_ + waiting_bytes_;
  totals.batches = waiting_.size();
  for (const Segment& segment : segments_) totals.batches += segment.records;
  return totals;
}

}  // namespace forewarn::agent
