#ifndef FOREWARN_COLLECTOR_INGEST_INGEST_SERVICE_H_
#define FOREWARN_COLLECTOR_INGEST_INGEST_SERVICE_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "collector/fleet/endpoint_registry.h"
#include "collector/identity/certificate_authority.h"
#include "collector/ingest/stream_reactor.h"
#include "collector/metrics/self_metrics.h"
#include "collector/shard/shard.h"
#include "forewarn/v1/telemetry.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "protos/base/clock.h"
#include "protos/base/mutex.h"
#include "protos/wire/batch_codec.h"

namespace forewarn::ingest {

struct IngestOptions {
  std::string address = "127.0.0.1:8461";  // port 0 = any free one
  std::string certificate_path;            // chain, PEM
  std::string key_path;
  std::string ca_path;
  std::string version;
  absl::Duration tick = absl::Seconds(10);
  uint32_t credits = 64;        // batches without acknowledgement, a stream
  size_t batch_bytes = 1 << 20;
  uint32_t streams = 50000;
  wire::DecodeLimits limits;
};

// What a stream needs of the rest of the collector. Thread-safe.
class StreamHost {
 public:
  static constexpr uint32_t kProtocol = 1;

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
  absl::Status Greet(StreamReactor& reactor, const v1::Hello& hello,
                     std::shared_ptr<shard::StreamLink> link);
  void Ended(StreamReactor& reactor, bool greeted);

  void Post(const std::string& endpoint_id, shard::Message message);

  void NoteRefused(const std::string& endpoint_id, const absl::Status& status);
  void NoteBatch(const v1::Batch& coded, const shard::BatchArrived& arrived);

  // Takes a slot until Ended; kResourceExhausted when all were taken.
  absl::Status Admit();

  // Ends the live stream of an endpoint.
  void Cut(const std::string& endpoint_id, const absl::Status& status);
  void CutAll(const absl::Status& status);

 private:
  shard::Shard& ShardOf(const std::string& endpoint_id);

  const IngestOptions options_;
  const std::vector<shard::Shard*> shards_;
  fleet::EndpointRegistry& registry_;
  metrics::SelfMetrics& metrics_;
  base::Clock& clock_;
  std::atomic<uint32_t> open_ = 0;
  base::Mutex mutex_;
  absl::flat_hash_map<std::string, StreamReactor*> live_
      ABSL_GUARDED_BY(mutex_);
};

// The agents' port: gRPC over mutual TLS, nothing else. A peer without a
// certificate of our CA is refused in the handshake.
class IngestService final : public v1::Telemetry::CallbackService {
 public:
  // All references must outlive it.
  IngestService(StreamHost& host, const identity::CertificateAuthority& ca,
                fleet::EndpointRegistry& registry);
  ~IngestService() override;

  // Opens the port; `port()` is then known. kUnavailable when it is taken.
  absl::Status Start();
  void Stop();
  int port() const { return port_; }

  grpc::ServerBidiReactor<v1::AgentMessage, v1::CollectorMessage>* Report(
      grpc::CallbackServerContext* context) override;

 private:
  absl::StatusOr<std::string> Authenticate(
      const grpc::CallbackServerContext& context);

  StreamHost& host_;
  const identity::CertificateAuthority& ca_;
  fleet::EndpointRegistry& registry_;
  std::unique_ptr<grpc::Server> server_;
  std::atomic<uint64_t> next_stream_ = 1;
  int port_ = 0;
};

}  // namespace forewarn::ingest

#endif  // FOREWARN_COLLECTOR_INGEST_INGEST_SERVICE_H_
