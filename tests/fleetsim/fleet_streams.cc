#include "tests/fleetsim/fleet_streams.h"

#include <sys/epoll.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protos/base/status.h"
#include "protos/net/tcp_connect.h"
#include "protos/wire/grpc_frames.h"
#include "protos/wire/proto_time.h"

namespace forewarn::fleetsim {
namespace {

// Real time, so that a fault of the collector ends the run.
constexpr absl::Duration kPatience = absl::Seconds(60);

absl::Status Stuck(const char* what) {
  return absl::DeadlineExceededError(
      absl::StrCat("the collector gave no ", what, " within a minute"));
}

}  // namespace

FleetStreams::FleetStreams(std::string collector,
                           std::vector<agent::Identity> identities,
                           std::vector<v1::EndpointFacts> facts,
                           const wire::SeriesDictionary& dictionary)
    : collector_(std::move(collector)),
      facts_(std::move(facts)),
      dictionary_(dictionary),
      streams_(identities.size()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      input_(64 << 10) {
  for (uint32_t i = 0; i < streams_.size(); ++i) {
    streams_[i].identity = std::move(identities[i]);
    std::memcpy(streams_[i].run.data(), &i, sizeof(i));
  }
}

absl::Status FleetStreams::Connect(uint32_t index, absl::Time clock) {
  Stream& stream = streams_[index];
  Abandon(index);
  FOREWARN_ASSIGN_OR_RETURN(
      stream.connection,
      agent::TlsConnection::Dial(collector_, stream.identity, kPatience,
                                 net::kNoInterrupt));
  stream.call =
      std::make_unique<agent::GrpcCall>(collector_, wire::kReportPath, 1 << 20);
  stream.encoder.emplace(&dictionary_);
  stream.welcomed = false;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = index;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stream.connection->fd(), &event);
  v1::AgentMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_protocol(1);
  hello.set_agent_version("fleetsim");
  hello.set_run_id(stream.run.data(), stream.run.size());
  hello.set_boot_id("fleetsim");
  *hello.mutable_clock() = wire::ToStamp(clock);
  *hello.mutable_facts() = facts_[index];
  stream.call->Send(message.SerializeAsString());
  const absl::Time until = absl::Now() + kPatience;
  while (!stream.welcomed) {
    FOREWARN_RETURN_IF_ERROR(Flush(stream));
    FOREWARN_RETURN_IF_ERROR(Turn(absl::Milliseconds(50)));
    if (absl::Now() > until) return Stuck("Welcome");
  }
  return absl::OkStatus();
}

absl::Status FleetStreams::Send(uint32_t index, std::vector<wire::Tick> ticks) {
  Stream& stream = streams_[index];
  wire::Batch batch;
  batch.run_id = stream.run;
  batch.sequence = ++stream.sequence;
  batch.ticks = std::move(ticks);
  v1::AgentMessage message;
  stream.encoder->Encode(batch, stream.run, *message.mutable_batch());
  stream.call->Send(message.SerializeAsString());
  sent_.push_back(index);
  return Flush(stream);
}

absl::Status FleetStreams::Leave(uint32_t index, v1::Goodbye::Reason reason) {
  Stream& stream = streams_[index];
  const absl::Time until = absl::Now() + kPatience;
  while (stream.acked < stream.sequence) {
    FOREWARN_RETURN_IF_ERROR(Flush(stream));
    FOREWARN_RETURN_IF_ERROR(Turn(absl::Milliseconds(50)));
    if (absl::Now() > until) return Stuck("ack");
  }
  v1::AgentMessage message;
  message.mutable_goodbye()->set_reason(reason);
  stream.call->Send(message.SerializeAsString());
  stream.call->HalfClose();
  // The collector closes when it has taken note.
  while (!stream.call->ended()) {
    FOREWARN_RETURN_IF_ERROR(Flush(stream));
    FOREWARN_RETURN_IF_ERROR(Turn(absl::Milliseconds(50)));
    if (absl::Now() > until) return Stuck("end of a stream");
  }
  Abandon(index);
  return absl::OkStatus();
}

void FleetStreams::Abandon(uint32_t index) {
  Stream& stream = streams_[index];
  stream.welcomed = false;
  stream.connection.reset();  // also leaves epoll
  stream.call.reset();
  stream.output.clear();
  stream.written = 0;
  stream.acked = stream.sequence;
}

absl::Status FleetStreams::EndRound() {
  const absl::Time until = absl::Now() + kPatience;
  for (const uint32_t index : sent_before_) {
    Stream& stream = streams_[index];
    while (stream.acked < stream.last_round) {
      FOREWARN_RETURN_IF_ERROR(Flush(stream));
      FOREWARN_RETURN_IF_ERROR(Turn(absl::Milliseconds(50)));
      if (absl::Now() > until) return Stuck("ack");
    }
  }
  for (const uint32_t index : sent_) {
    streams_[index].last_round = streams_[index].sequence;
  }
  sent_before_ = std::exchange(sent_, {});
  return absl::OkStatus();
}

absl::Status FleetStreams::Flush(Stream& stream) {
  for (;;) {
    if (stream.written == stream.output.size()) {
      stream.output.clear();
      stream.written = 0;
      if (!stream.call->TakeOutput(stream.output)) return absl::OkStatus();
    }
    FOREWARN_ASSIGN_OR_RETURN(
        const size_t taken,
        stream.connection->Write(
            absl::string_view(stream.output).substr(stream.written)));
    if (taken == 0) return absl::OkStatus();
    stream.written += taken;
  }
}

absl::Status FleetStreams::Take(Stream& stream) {
  for (;;) {
    FOREWARN_ASSIGN_OR_RETURN(
        const size_t count,
        stream.connection->Read(input_.data(), input_.size()));
    if (count == 0) break;
    FOREWARN_RETURN_IF_ERROR(
        stream.call->Receive(absl::string_view(input_.data(), count)));
    while (const auto bytes = stream.call->NextMessage()) {
      v1::CollectorMessage message;
      if (!message.ParseFromString(*bytes)) {
        return absl::DataLossError("the collector sent no message");
      }
      if (message.has_welcome()) stream.welcomed = true;
      if (message.has_ack()) {
        stream.acked = message.ack().sequence();
      }
    }
    if (stream.call->ended()) return stream.call->status();
  }
  return Flush(stream);
}

absl::Status FleetStreams::Turn(absl::Duration wait) {
  epoll_event events[256];
  const int count =
      epoll_wait(epoll_.get(), events, 256,
                 static_cast<int>(absl::ToInt64Milliseconds(wait)));
  for (int i = 0; i < count; ++i) {
    Stream& stream = streams_[events[i].data.u64];
    if (stream.connection == nullptr) continue;
    FOREWARN_RETURN_IF_ERROR(base::Annotate(
        Take(stream), absl::StrCat("endpoint ", events[i].data.u64)));
  }
  return absl::OkStatus();
}

}  // namespace forewarn::fleetsim
