#ifndef FOREWARN_COLLECTOR_INGEST_AGENT_STREAM_H_
#define FOREWARN_COLLECTOR_INGEST_AGENT_STREAM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "collector/ingest/sample_quota.h"
#include "collector/ingest/server_call.h"
#include "collector/ingest/stream_host.h"
#include "collector/shard/stream_link.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/wire/batch_codec.h"

namespace forewarn::ingest {

// What is said on one agent's stream: Hello, batches, Goodbye; Welcome, acks.
// It only decodes and posts to the shard. Thread-compatible: the thread of
// its connection.
class AgentStream final : public ServerCall::Handler {
 public:
  // `refused`: not OK when the peer may not stream. `scratch` is for parsing.
  // All references must outlive it.
  AgentStream(StreamHost& host, uint64_t number, std::string endpoint_id,
              absl::Status refused, std::shared_ptr<shard::StreamLink> link,
              v1::AgentMessage& scratch);
  // The connection is gone.
  ~AgentStream() override;

  ServerCall& call() { return call_; }

  void OnCall() override;
  absl::Status OnMessage(absl::string_view message) override;
  void OnHalfClose() override;

  // The shard's word; folded into one ack a run until SendAcks.
  void Acknowledge(const wire::RunId& run, uint64_t sequence,
                   const std::vector<wire::DroppedSample>& dropped);
  void SendAcks();
  void Send(const v1::CollectorMessage& message);
  void Fail(const absl::Status& status) { call_.Finish(status); }

  bool greeted() const { return greeted_; }

  // The peer did what it may not; the stream has ended or is about to.
  bool offended() const { return offended_; }

  // How long nothing more should be read, for what came since the call before;
  // `now` only grows.
  absl::Duration OverQuota(absl::Duration now);

 private:
  absl::Status TakeHello(const v1::Hello& hello);
  absl::Status TakeBatch(const v1::Batch& batch, size_t coded_bytes);

  StreamHost& host_;
  const uint64_t number_;
  const std::string endpoint_id_;
  const absl::Status refused_;
  const std::shared_ptr<shard::StreamLink> link_;  // the shard's too
  v1::AgentMessage& scratch_;
  ServerCall call_;
  wire::RunId run_{};
  wire::BatchDecoder decoder_;
  std::vector<v1::CollectorMessage> acks_;
  SampleQuota quota_;
  uint64_t samples_ = 0;       // since quota_ last knew
  uint64_t received_ = 0;      // batches
  uint64_t acknowledged_ = 0;  // batches
  bool greeted_ = false;
  bool offended_ = false;
};

}  // namespace forewarn::ingest

#endif  // FOREWARN_COLLECTOR_INGEST_AGENT_STREAM_H_
