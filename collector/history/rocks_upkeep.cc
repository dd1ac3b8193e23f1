// From the log into sealed blocks, and from these into rollups; what is too
// old goes.

#include <algorithm>

#include "collector/history/history_keys.h"
#include "collector/history/rocks_store_impl.h"
#include "collector/history/rollup_table.h"
#include "collector/history/sealed_block.h"
#include "collector/history/tick_order.h"
#include "protos/base/deadline.h"
#include "protos/base/status.h"

namespace forewarn::history {
namespace {

// A block so many times its size is sealed, or nothing more is taken.
constexpr uint32_t kOverdue = 2;
constexpr uint64_t kSegmentsKept = 3;
// A span is rolled up once it is over for so long, and for so long at a time:
// the rest has its turn in the next maintenance.
constexpr absl::Duration kRollAfter = absl::Minutes(10);
constexpr absl::Duration kRollAtATime = absl::Seconds(2);
constexpr absl::Duration kRetentionEvery = absl::Hours(1);
const absl::Duration kRollSpan = SpanOf(RollupLevel::kFiveMinutes);

}  // namespace

absl::Status RocksStore::Impl::Maintain(absl::Time now) {
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

absl::Status RocksStore::Impl::Flush() {
  FOREWARN_RETURN_IF_ERROR(CheckRoom());
  {
    base::MutexLock appending(&append_mutex_);
    log_->Roll();
  }
  FOREWARN_RETURN_IF_ERROR(ShortenLog(0));
  return sealed_.Compact();
}

absl::Status RocksStore::Impl::SealIfOverdue(uint32_t number) {
  FOREWARN_ASSIGN_OR_RETURN(Endpoint * endpoint, Find(number));
  if (endpoint->open.ticks() < kOverdue * options_.block_ticks) {
    return absl::OkStatus();
  }
  return Seal(number, *endpoint);
}

absl::Status RocksStore::Impl::Seal(uint32_t number, Endpoint& endpoint) {
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
    writes.Put(BlockKey(number, ticks[begin].time, endpoint.order),
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

void RocksStore::Impl::MarkRolled(uint32_t number, absl::Time rolled,
                                  Endpoint& endpoint,
                                  rocksdb::WriteBatch& writes) {
  endpoint.rolled = rolled;
  writes.Put(RolledKey(number),
             Bytes64(static_cast<uint64_t>(absl::ToUnixMillis(rolled))));
}

absl::Status RocksStore::Impl::RollUp(absl::Time now) {
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

absl::StatusOr<bool> RocksStore::Impl::RollUp(uint32_t number, absl::Time now) {
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

absl::Status RocksStore::Impl::ShortenLog(uint64_t kept) {
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

}  // namespace forewarn::history
