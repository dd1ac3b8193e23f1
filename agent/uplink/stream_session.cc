#include "agent/uplink/stream_session.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "protos/base/logging.h"

namespace forewarn::agent {
namespace {

using base::Log;
using base::LogLevel;

absl::Duration FromProto(const google::protobuf::Duration& proto) {
  return absl::Seconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
}

}  // namespace

StreamSession::StreamSession(Spool& spool, Options options)
    : spool_(spool), options_(std::move(options)), hello_run_(spool.run()) {}

void StreamSession::Receive(const v1::CollectorMessage& message) {
  switch (message.message_case()) {
    case v1::CollectorMessage::kWelcome:
      ReceiveWelcome(message.welcome());
      return;
    case v1::CollectorMessage::kAck:
      ReceiveAck(message.ack());
      return;
    case v1::CollectorMessage::kPace:
      Log(LogLevel::kInfo, "collector asks for another tick",
          {{"seconds", message.pace().tick().seconds()},
           {"lasting_seconds", message.pace().lasting().seconds()},
           {"reason", message.pace().reason().substr(0, 200)}});
      if (options_.on_pace) {
        options_.on_pace(FromProto(message.pace().tick()),
                         FromProto(message.pace().lasting()));
      }
      return;
    case v1::CollectorMessage::MESSAGE_NOT_SET:
      Log(LogLevel::kDebug, "message of a later collector ignored");
      return;
  }
}

void StreamSession::ReceiveWelcome(const v1::Welcome& welcome) {
  welcomed_ = true;
  window_ = std::clamp(welcome.credits(), 1u, options_.max_window);
  collector_clock_ = absl::FromUnixSeconds(welcome.clock().seconds()) +
                     absl::Nanoseconds(welcome.clock().nanos());
  const absl::Duration tick = FromProto(welcome.tick());
  if (tick > absl::ZeroDuration() && options_.on_pace) {
    options_.on_pace(tick, absl::ZeroDuration());
  }
  if (!options_.new_run) return;
  if (const uint64_t backlog = spool_.backlog(); backlog > options_.backlog) {
    live_from_ = next_position_ = spool_.BeginRun(options_.new_run());
    Log(LogLevel::kInfo, "what is new goes first, the backlog beside it",
        {{"batches", backlog}});
  }
}

void StreamSession::ReceiveAck(const v1::Ack& ack) {
  wire::RunId run = hello_run_;
  if (ack.run_id().size() == run.size()) {
    std::memcpy(run.data(), ack.run_id().data(), run.size());
  } else if (!ack.run_id().empty()) {
    return;  // of no run that we could have sent
  }
  ++acks_;
  spool_.AckThrough(run, ack.sequence());
  std::erase_if(in_flight_, [&](const BatchKey& key) {
    return key.first == run && key.second <= ack.sequence();
  });
  // Absent = as before.
  if (ack.credits() > 0) {
    window_ = std::min(ack.credits(), options_.max_window);
  }
  if (ack.rejections_size() > 0) {
    rejected_samples_ += static_cast<uint64_t>(ack.rejections_size());
    Log(LogLevel::kWarning, "collector dropped samples",
        {{"samples", ack.rejections_size()},
         {"first_reason", ack.rejections(0).reason().substr(0, 200)}});
  }
}

// The backlog takes a quarter of the credits, so that what is new never waits
// for it.
std::optional<Spool::Entry> StreamSession::PeekNext() {
  std::optional<Spool::Entry> entry = spool_.Peek(next_position_);
  if (entry.has_value() || live_from_ == 0) return entry;
  const wire::RunId live = spool_.run();
  const auto under_way =
      std::count_if(in_flight_.begin(), in_flight_.end(),
                    [&live](const BatchKey& key) { return key.first != live; });
  if (under_way >= std::max<int64_t>(window_ / 4, 1)) return std::nullopt;
  entry = spool_.Peek(next_backlog_);
  if (entry.has_value() && entry->position >= live_from_) live_from_ = 0;
  return live_from_ == 0 ? std::nullopt : std::move(entry);
}

bool StreamSession::Next(v1::AgentMessage& out) {
  if (!welcomed_ || exhausted_ || in_flight_.size() >= window_) return false;
  std::optional<Spool::Entry> entry = PeekNext();
  if (!entry.has_value()) return false;
  wire::Batch& batch = entry->whole.batch;
  std::vector<uint32_t> numbers;  // of the stream, by number of the record
  numbers.reserve(entry->whole.definitions.size());
  for (const wire::SeriesDefinition& definition : entry->whole.definitions) {
    numbers.push_back(dictionary_.Intern(definition));
  }
  // The first batch goes in any case, or none ever would.
  if (dictionary_.size() > options_.max_series && sent_ > 0) {
    exhausted_ = true;
    return false;
  }
  for (wire::Tick& tick : batch.ticks) {
    for (wire::Sample& sample : tick.samples) {
      sample.series = numbers[sample.series];
    }
  }
  encoder_.Encode(batch, hello_run_, *out.mutable_batch());
  in_flight_.emplace_back(batch.run_id, batch.sequence);
  (entry->position < live_from_ ? next_backlog_ : next_position_) =
      entry->position + 1;
  ++sent_;
  return true;
}

std::optional<StreamSession::BatchKey> StreamSession::first_unacked() const {
  if (in_flight_.empty()) return std::nullopt;
  return in_flight_.front();
}

}  // namespace forewarn::agent
