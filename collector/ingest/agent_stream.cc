#include "collector/ingest/agent_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::ingest {
namespace {

constexpr int kMostRejections = 20;

}  // namespace

AgentStream::AgentStream(StreamHost& host, uint64_t number,
                         std::string endpoint_id, absl::Status refused,
                         std::shared_ptr<shard::StreamLink> link,
                         v1::AgentMessage& scratch)
    : host_(host),
      number_(number),
      endpoint_id_(std::move(endpoint_id)),
      refused_(std::move(refused)),
      link_(std::move(link)),
      scratch_(scratch),
      call_(wire::kReportPath, host.options().batch_bytes, *this),
      decoder_(host.options().limits),
      quota_(host.options().samples_per_second) {}

AgentStream::~AgentStream() {
  if (greeted_) host_.Ended(number_, endpoint_id_);
}

void AgentStream::OnCall() {
  if (refused_.ok()) return;
  host_.NoteRefused(endpoint_id_, refused_);
  call_.Finish(refused_);
}

void AgentStream::OnHalfClose() { call_.Finish(absl::OkStatus()); }

absl::Status AgentStream::OnMessage(absl::string_view message) {
  const absl::Status taken = [&]() -> absl::Status {
    if (!scratch_.ParseFromArray(message.data(),
                                 static_cast<int>(message.size()))) {
      return absl::InvalidArgumentError("the message is malformed");
    }
    if (!greeted_) {
      if (!scratch_.has_hello()) {
        return absl::InvalidArgumentError("the first message must be Hello");
      }
      return TakeHello(scratch_.hello());
    }
    switch (scratch_.message_case()) {
      case v1::AgentMessage::kHello:
        return absl::InvalidArgumentError("Hello came twice");
      case v1::AgentMessage::kBatch:
        return TakeBatch(scratch_.batch(), message.size());
      case v1::AgentMessage::kGoodbye:
        host_.Post(endpoint_id_,
                   shard::GoodbyeSaid{number_, scratch_.goodbye().reason()});
        return absl::OkStatus();
      default:
        // A newer agent's message: ignored, as version skew asks.
        return absl::OkStatus();
    }
  }();
  if (!taken.ok()) {
    offended_ = true;
    host_.NoteRefused(endpoint_id_, taken);
  }
  return taken;
}

absl::Status AgentStream::TakeHello(const v1::Hello& hello) {
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
  FOREWARN_RETURN_IF_ERROR(host_.Greet(number_, endpoint_id_, hello, link_));
  greeted_ = true;
  v1::CollectorMessage message;
  v1::Welcome& welcome = *message.mutable_welcome();
  *welcome.mutable_clock() = wire::ToStamp(absl::Now());
  *welcome.mutable_tick() = wire::ToProtoDuration(host_.options().tick);
  welcome.set_credits(host_.options().credits);
  welcome.set_collector_version(host_.options().version);
  Send(message);
  return absl::OkStatus();
}

absl::Status AgentStream::TakeBatch(const v1::Batch& batch,
                                    size_t coded_bytes) {
  // Twice the credits: an ack may be on its way while the agent sends.
  if (received_ - acknowledged_ > 2 * host_.options().credits) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", 2 * host_.options().credits,
                     " batches without acknowledgement; wait for acks"));
  }
  ++received_;
  shard::BatchArrived arrived;
  arrived.stream = number_;
  FOREWARN_RETURN_IF_ERROR(
      decoder_.Decode(batch, run_, arrived.batch, arrived.dropped));
  arrived.definitions = decoder_.TakeDefinitions();
  samples_ += host_.NoteBatch(coded_bytes, arrived);
  host_.Post(endpoint_id_, std::move(arrived));
  return absl::OkStatus();
}

absl::Duration AgentStream::OverQuota(absl::Duration now) {
  const absl::Duration wait = quota_.Take(std::exchange(samples_, 0), now);
  if (wait > absl::ZeroDuration()) host_.NoteOverQuota(endpoint_id_, wait);
  return wait;
}

void AgentStream::Acknowledge(const wire::RunId& run, uint64_t sequence,
                              const std::vector<wire::DroppedSample>& dropped) {
  ++acknowledged_;
  const absl::string_view run_bytes(reinterpret_cast<const char*>(run.data()),
                                    run.size());
  if (acks_.empty() || acks_.back().ack().run_id() != run_bytes) {
    acks_.emplace_back().mutable_ack()->set_run_id(std::string(run_bytes));
  }
  v1::Ack& ack = *acks_.back().mutable_ack();
  ack.set_sequence(std::max(ack.sequence(), sequence));
  for (const wire::DroppedSample& sample : dropped) {
    if (ack.rejections_size() >= kMostRejections) break;
    v1::Rejection* rejection = ack.add_rejections();
    rejection->set_sequence(sequence);
    rejection->set_series(sample.series);
    rejection->set_reason(sample.reason);
  }
}

void AgentStream::SendAcks() {
  for (const v1::CollectorMessage& ack : acks_) Send(ack);
  acks_.clear();
}

void AgentStream::Send(const v1::CollectorMessage& message) {
  call_.Send(message.SerializeAsString());
}

}  // namespace forewarn::ingest
