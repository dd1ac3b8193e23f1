#include "collector/ingest/stream_reactor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "collector/ingest/grpc_status.h"
#include "collector/ingest/ingest_service.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::ingest {
namespace {

constexpr size_t kMostRejections = 20;

}  // namespace

void StreamWriter::Acknowledge(const wire::RunId& run, uint64_t sequence,
                               std::vector<wire::DroppedSample> dropped) {
  base::MutexLock lock(&mutex_);
  ++acknowledged_;
  if (reactor_ == nullptr || finished_) return;
  const std::string run_bytes(run.begin(), run.end());
  v1::Ack* ack = nullptr;
  if (!waiting_.empty() && waiting_.back().has_ack() &&
      waiting_.back().ack().run_id() == run_bytes) {
    ack = waiting_.back().mutable_ack();
  } else {
    ack = waiting_.emplace_back().mutable_ack();
    ack->set_run_id(run_bytes);
  }
  ack->set_sequence(std::max(ack->sequence(), sequence));
  for (const wire::DroppedSample& sample : dropped) {
    if (ack->rejections_size() >= static_cast<int>(kMostRejections)) break;
    v1::Rejection* rejection = ack->add_rejections();
    rejection->set_sequence(sequence);
    rejection->set_series(sample.series);
    rejection->set_reason(sample.reason);
  }
  StartNextLocked();
}

void StreamWriter::SetPace(absl::Duration tick, absl::Duration lasting,
                           absl::string_view reason) {
  v1::CollectorMessage message;
  *message.mutable_pace()->mutable_tick() = wire::ToProtoDuration(tick);
  *message.mutable_pace()->mutable_lasting() = wire::ToProtoDuration(lasting);
  message.mutable_pace()->set_reason(std::string(reason));
  Send(std::move(message));
}

void StreamWriter::Fail(const absl::Status& status) { Finish(status); }

void StreamWriter::Send(v1::CollectorMessage message) {
  base::MutexLock lock(&mutex_);
  if (reactor_ == nullptr || finished_) return;
  waiting_.push_back(std::move(message));
  StartNextLocked();
}

void StreamWriter::StartNextLocked() {
  if (write_under_way_ || waiting_.empty()) return;
  writing_ = std::move(waiting_.front());
  waiting_.pop_front();
  write_under_way_ = true;
  reactor_->StartWrite(&writing_);
}

void StreamWriter::WriteDone(bool ok) {
  base::MutexLock lock(&mutex_);
  write_under_way_ = false;
  if (ok && reactor_ != nullptr && !finished_) StartNextLocked();
}

void StreamWriter::Finish(const absl::Status& status) {
  base::MutexLock lock(&mutex_);
  if (reactor_ == nullptr || finished_) return;
  finished_ = true;
  reactor_->StreamReactor::Finish(ToGrpc(status));
}

void StreamWriter::Detach() {
  base::MutexLock lock(&mutex_);
  reactor_ = nullptr;
}

StreamReactor::StreamReactor(StreamHost& host, uint64_t stream,
                             std::string endpoint_id,
                             const absl::Status& refused)
    : host_(host),
      stream_(stream),
      endpoint_id_(std::move(endpoint_id)),
      writer_(std::make_shared<StreamWriter>(this)),
      decoder_(host.options().limits) {
  if (!refused.ok()) {
    host_.NoteRefused(endpoint_id_, refused);
    writer_->Finish(refused);
    return;
  }
  StartRead(&incoming_);
}

void StreamReactor::OnReadDone(bool ok) {
  if (!ok) {  // half-closed by the agent, or broken
    writer_->Finish(absl::OkStatus());
    return;
  }
  if (const absl::Status taken = Take(incoming_); !taken.ok()) {
    host_.NoteRefused(endpoint_id_, taken);
    writer_->Finish(taken);
    return;
  }
  StartRead(&incoming_);
}

absl::Status StreamReactor::Take(const v1::AgentMessage& message) {
  if (!greeted_) {
    if (!message.has_hello()) {
      return absl::InvalidArgumentError("the first message must be Hello");
    }
    return TakeHello(message.hello());
  }
  switch (message.message_case()) {
    case v1::AgentMessage::kHello:
      return absl::InvalidArgumentError("Hello came twice");
    case v1::AgentMessage::kBatch:
      return TakeBatch(message.batch());
    case v1::AgentMessage::kGoodbye:
      host_.Post(endpoint_id_,
                 shard::GoodbyeSaid{stream_, message.goodbye().reason()});
      return absl::OkStatus();
    default:
      // A newer agent's message: ignored, as version skew asks.
      return absl::OkStatus();
  }
}

absl::Status StreamReactor::TakeHello(const v1::Hello& hello) {
  if (hello.protocol() != StreamHost::kProtocol) {
    return absl::InvalidArgumentError(
        absl::StrCat("this collector speaks protocol ", StreamHost::kProtocol,
                     ", the agent sent ", hello.protocol(),
                     "; upgrade the collector first"));
  }
  if (hello.run_id().size() != run_.size()) {
    return absl::InvalidArgumentError("Hello: run_id must be 16 bytes");
  }
  std::memcpy(run_.data(), hello.run_id().data(), run_.size());
  FOREWARN_RETURN_IF_ERROR(host_.Greet(*this, hello, writer_));
  greeted_ = true;
  v1::CollectorMessage message;
  v1::Welcome& welcome = *message.mutable_welcome();
  *welcome.mutable_clock() = wire::ToStamp(absl::Now());
  *welcome.mutable_tick() = wire::ToProtoDuration(host_.options().tick);
  welcome.set_credits(host_.options().credits);
  welcome.set_collector_version(host_.options().version);
  writer_->Send(std::move(message));
  return absl::OkStatus();
}

absl::Status StreamReactor::TakeBatch(const v1::Batch& batch) {
  // Twice the credits: an ack may be on its way while the agent sends.
  if (received_ - writer_->acknowledged() > 2 * host_.options().credits) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", 2 * host_.options().credits,
                     " batches without acknowledgement; wait for acks"));
  }
  ++received_;
  const size_t known = decoder_.definitions().size();
  shard::BatchArrived arrived;
  arrived.stream = stream_;
  FOREWARN_RETURN_IF_ERROR(
      decoder_.Decode(batch, run_, arrived.batch, arrived.dropped));
  arrived.definitions.assign(decoder_.definitions().begin() + known,
                             decoder_.definitions().end());
  host_.NoteBatch(batch, arrived);
  // Waits while the shard's mailbox is full: then nothing more is read, and
  // HTTP/2's flow control holds the agents back.
  host_.Post(endpoint_id_, std::move(arrived));
  return absl::OkStatus();
}

void StreamReactor::OnWriteDone(bool ok) { writer_->WriteDone(ok); }

void StreamReactor::OnCancel() {
  writer_->Finish(absl::CancelledError("stream cancelled"));
}

void StreamReactor::OnDone() {
  writer_->Detach();
  host_.Ended(*this, greeted_);
  delete this;
}

}  // namespace forewarn::ingest
