#include "collector/ingest/stream_host.h"

#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::ingest {
namespace {

using base::Log;
using base::LogLevel;

}  // namespace

shard::Shard& StreamHost::ShardOf(const std::string& endpoint_id) {
  return *shards_[absl::Hash<std::string>()(endpoint_id) % shards_.size()];
}

void StreamHost::Post(const std::string& endpoint_id, shard::Message message) {
  ShardOf(endpoint_id).Post(std::move(message));
}

absl::Status StreamHost::Admit() {
  if (++open_ <= options_.streams) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("all ", options_.streams, " stream slots are taken"));
}

absl::Status StreamHost::Greet(uint64_t stream, const std::string& id,
                               const v1::Hello& hello,
                               std::shared_ptr<shard::StreamLink> link) {
  FOREWARN_RETURN_IF_ERROR(registry_.Connected(
      id, hello.facts(), hello.agent_version(), hello.boot_id(), clock_.Now()));
  const std::optional<v1::Endpoint> endpoint = registry_.Find(id);
  if (!endpoint.has_value()) {
    return absl::NotFoundError(absl::StrCat("endpoint ", id));
  }
  Live older;
  {
    base::MutexLock lock(&mutex_);
    older = std::exchange(live_[id], Live{stream, link});
  }
  if (older.link != nullptr) {
    older.link->Fail(absl::AbortedError(
        "a newer stream of this endpoint came; is the machine a clone?"));
  }
  metrics_.streams_open.Increment();
  Post(id, shard::StreamOpened{stream, endpoint->number(),
                               detect::ProfileOf(*endpoint), std::move(link)});
  Log(LogLevel::kInfo, "stream opened",
      {{"endpoint", id},
       {"host", endpoint->facts().host_name()},
       {"agent", hello.agent_version()}});
  return absl::OkStatus();
}

void StreamHost::Ended(uint64_t stream, const std::string& endpoint_id) {
  {
    base::MutexLock lock(&mutex_);
    const auto it = live_.find(endpoint_id);
    if (it != live_.end() && it->second.stream == stream) live_.erase(it);
  }
  metrics_.streams_open.Decrement();
  Post(endpoint_id, shard::StreamClosed{stream});
}

void StreamHost::Cut(const std::string& endpoint_id,
                     const absl::Status& status) {
  base::MutexLock lock(&mutex_);
  if (const auto it = live_.find(endpoint_id); it != live_.end()) {
    it->second.link->Fail(status);
  }
}

void StreamHost::CutAll(const absl::Status& status) {
  base::MutexLock lock(&mutex_);
  for (const auto& [id, live] : live_) live.link->Fail(status);
}

void StreamHost::NoteRefused(const std::string& who,
                             const absl::Status& status) {
  metrics_.StreamsRefused(absl::StatusCodeToString(status.code())).Increment();
  Log(LogLevel::kWarning, "stream refused",
      {{"endpoint", who}, {"reason", base::ToLine(status)}});
}

void StreamHost::NoteTurnedAway() {
  metrics_.connections_turned_away.Increment();
}

void StreamHost::NoteOverQuota(const std::string& endpoint_id,
                               absl::Duration wait) {
  metrics_.quota_pauses.Increment();
  Log(LogLevel::kDebug, "stream read more slowly: over its quota",
      {{"endpoint", endpoint_id},
       {"samples_per_second", options_.samples_per_second},
       {"pause_seconds", absl::ToDoubleSeconds(wait)}});
}

size_t StreamHost::NoteBatch(size_t coded_bytes,
                             const shard::BatchArrived& arrived) {
  size_t samples = 0;
  for (const wire::Tick& tick : arrived.batch.ticks) {
    samples += tick.samples.size();
  }
  metrics_.batches.Increment();
  metrics_.samples.Increment(static_cast<double>(samples));
  metrics_.batch_bytes.Increment(static_cast<double>(coded_bytes));
  for (const wire::DroppedSample& sample : arrived.dropped) {
    metrics_.Rejected(absl::StartsWith(sample.reason, "time") ? "time" : "nan")
        .Increment();
  }
  return samples;
}

}  // namespace forewarn::ingest
