#ifndef FOREWARN_COLLECTOR_INGEST_STREAM_HOST_H_
#define FOREWARN_COLLECTOR_INGEST_STREAM_HOST_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "collector/fleet/endpoint_registry.h"
#include "collector/metrics/self_metrics.h"
#include "collector/shard/shard.h"
#include "collector/shard/stream_link.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/base/clock.h"
#include "protos/base/mutex.h"
#include "protos/wire/batch_codec.h"

namespace forewarn::ingest {

struct IngestOptions {
  std::string address = "127.0.0.1";
  int port = 8461;               // 0 = any free one
  std::string certificate_path;  // chain, PEM
  std::string key_path;
  std::string ca_path;
  std::string version;
  int threads = 2;
  absl::Duration tick = absl::Seconds(10);
  uint32_t credits = 64;  // batches without acknowledgement, a stream
  size_t batch_bytes = 1 << 20;
  uint32_t streams = 50000;
  uint32_t samples_per_second = 20000;  // an endpoint; see SampleQuota
  wire::DecodeLimits limits;
};

// What a stream needs of the rest of the collector. Thread-safe.
class StreamHost {
 public:
  static constexpr uint32_t kProtocol = 1;

  // All references must outlive it.
  StreamHost(const IngestOptions& options, std::vector<shard::Shard*> shards,
             fleet::EndpointRegistry& registry, metrics::SelfMetrics& metrics,
             base::Clock& clock)
      : options_(options),
        shards_(std::move(shards)),
        registry_(registry),
        metrics_(metrics),
        clock_(clock) {}

  const IngestOptions& options() const { return options_; }

  // An accepted stream: the newest of an endpoint wins, an older one is cut.
  absl::Status Greet(uint64_t stream, const std::string& endpoint_id,
                     const v1::Hello& hello,
                     std::shared_ptr<shard::StreamLink> link);
  // A stream that was greeted is over.
  void Ended(uint64_t stream, const std::string& endpoint_id);

  // Waits while the shard's mailbox is full: then nothing more is read, and
  // flow control holds the agents back.
  void Post(const std::string& endpoint_id, shard::Message message);

  void NoteRefused(const std::string& who, const absl::Status& status);
  // A connection from a source that keeps offending.
  void NoteTurnedAway();
  void NoteOverQuota(const std::string& endpoint_id, absl::Duration wait);
  // Returns how many samples it has.
  size_t NoteBatch(size_t coded_bytes, const shard::BatchArrived& arrived);

  // Takes a slot until Release; kResourceExhausted when all were taken.
  absl::Status Admit();
  void Release() { --open_; }

  // Ends the live stream of an endpoint.
  void Cut(const std::string& endpoint_id, const absl::Status& status);
  void CutAll(const absl::Status& status);

 private:
  struct Live {
    uint64_t stream = 0;
    std::shared_ptr<shard::StreamLink> link;  // also the shard's
  };

  shard::Shard& ShardOf(const std::string& endpoint_id);

  const IngestOptions options_;
  const std::vector<shard::Shard*> shards_;
  fleet::EndpointRegistry& registry_;
  metrics::SelfMetrics& metrics_;
  base::Clock& clock_;
  std::atomic<uint32_t> open_ = 0;
  base::Mutex mutex_;
  absl::flat_hash_map<std::string, Live> live_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace forewarn::ingest

#endif  // FOREWARN_COLLECTOR_INGEST_STREAM_HOST_H_
