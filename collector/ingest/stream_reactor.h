#ifndef FOREWARN_COLLECTOR_INGEST_STREAM_REACTOR_H_
#define FOREWARN_COLLECTOR_INGEST_STREAM_REACTOR_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "collector/shard/stream_link.h"
#include "forewarn/v1/telemetry.grpc.pb.h"
#include "forewarn/v1/telemetry.pb.h"
#include "grpcpp/support/server_callback.h"
#include "protos/base/mutex.h"
#include "protos/wire/batch.h"
#include "protos/wire/batch_codec.h"

namespace forewarn::ingest {

class StreamReactor;

// The writing half of a stream, shared between gRPC's reactor and the shard:
// each may end first. At most one write is under way; acks that wait for it
// are folded into one a run. Thread-safe.
class StreamWriter final : public shard::StreamLink {
 public:
  explicit StreamWriter(StreamReactor* reactor) : reactor_(reactor) {}

  void Acknowledge(const wire::RunId& run, uint64_t sequence,
                   std::vector<wire::DroppedSample> dropped) override;
  void SetPace(absl::Duration tick, absl::Duration lasting,
               absl::string_view reason) override;
  void Fail(const absl::Status& status) override;

  void Send(v1::CollectorMessage message);
  void WriteDone(bool ok);
  // Ends the stream with `status` once; later calls do nothing.
  void Finish(const absl::Status& status);
  // The reactor is about to be deleted.
  void Detach();

  uint64_t acknowledged() const {
    base::MutexLock lock(&mutex_);
    return acknowledged_;
  }

 private:
  void StartNextLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable base::Mutex mutex_;
  StreamReactor* reactor_ ABSL_GUARDED_BY(mutex_);  // null once detached
  std::deque<v1::CollectorMessage> waiting_ ABSL_GUARDED_BY(mutex_);
  v1::CollectorMessage writing_ ABSL_GUARDED_BY(mutex_);
  bool write_under_way_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t acknowledged_ ABSL_GUARDED_BY(mutex_) = 0;  // batches
};

class StreamHost;

// One stream's life: Hello, batches, Goodbye. Its callbacks only decode and
// post to the shard's mailbox.
class StreamReactor final
    : public grpc::ServerBidiReactor<v1::AgentMessage, v1::CollectorMessage> {
 public:
  // `host` must outlive it. `refused`: not OK when the peer may not stream.
  StreamReactor(StreamHost& host, uint64_t stream, std::string endpoint_id,
                const absl::Status& refused);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // Cuts the stream: a newer one of the same endpoint came, or it was revoked.
  void Cut(const absl::Status& status) { writer_->Finish(status); }
  const std::string& endpoint_id() const { return endpoint_id_; }
  uint64_t stream() const { return stream_; }

 private:
  friend class StreamWriter;
  absl::Status Take(const v1::AgentMessage& message);
  absl::Status TakeHello(const v1::Hello& hello);
  absl::Status TakeBatch(const v1::Batch& batch);

  StreamHost& host_;
  const uint64_t stream_;
  const std::string endpoint_id_;
  const std::shared_ptr<StreamWriter> writer_;
  v1::AgentMessage incoming_;
  wire::RunId run_{};
  wire::BatchDecoder decoder_;
  uint64_t received_ = 0;  // batches
  bool greeted_ = false;
};

}  // namespace forewarn::ingest

#endif  // FOREWARN_COLLECTOR_INGEST_STREAM_REACTOR_H_
