#include "tests/bench/ingest/load_streams.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/net/tcp_connect.h"
#include "protos/wire/grpc_frames.h"
#include "protos/wire/proto_time.h"

namespace forewarn::bench {
namespace {

constexpr uint64_t kBell = ~uint64_t{0};
constexpr ptrdiff_t kAdoptsATurn = 16;

double MillisecondsSince(absl::Time begin) {
  return absl::ToDoubleMilliseconds(absl::Now() - begin);
}

}  // namespace

LoadStreams::LoadStreams(Options options,
                         std::vector<agent::Identity> identities,
                         std::vector<wire::RunId> runs)
    : options_(std::move(options)),
      streams_(identities.size()),
      epoll_(epoll_create1(0)),
      input_(64 << 10) {
  for (size_t i = 0; i < identities.size(); ++i) {
    streams_[i].identity = std::move(identities[i]);
    streams_[i].run = runs[i];
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kBell;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, bell_.fd(), &event);
  for (int i = 0; i < options_.dialers; ++i) {
    dialers_.emplace_back([this] { Dial(); });
  }
}

LoadStreams::~LoadStreams() {
  {
    base::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& dialer : dialers_) dialer.join();
}

void LoadStreams::SetBatches(uint32_t index, std::vector<std::string> batches) {
  Stream& stream = streams_[index];
  stream.first_sequence += stream.batches.size();
  stream.batches = std::move(batches);
  stream.sent = stream.acked = stream.limit = 0;
}

void LoadStreams::Reconnects(
    std::function<std::vector<std::string>(uint32_t, uint32_t)> rewind) {
  rewind_ = std::move(rewind);
}

void LoadStreams::Dial() {
  for (;;) {
    uint32_t index = 0;
    {
      base::MutexLock lock(&mutex_);
      while (to_dial_.empty() && !stopping_) changed_.Wait(&mutex_);
      if (stopping_) return;
      index = to_dial_.front();
      to_dial_.pop_front();
    }
    auto connection =
        agent::TlsConnection::Dial(options_.collector, streams_[index].identity,
                                   absl::Seconds(20), net::kNoInterrupt);
    base::MutexLock lock(&mutex_);
    Dialled done;
    done.stream = index;
    if (connection.ok()) {
      done.connection = *std::move(connection);
    } else {
      done.error = std::string(connection.status().message());
    }
    dialled_.push_back(std::move(done));
    bell_.Ring();
  }
}

void LoadStreams::Want(uint32_t index, absl::Duration wait) {
  if (wait > absl::ZeroDuration()) {
    waiting_.emplace_back(absl::Now() + wait, index);
    std::push_heap(waiting_.begin(), waiting_.end(), std::greater<>());
    return;
  }
  base::MutexLock lock(&mutex_);
  to_dial_.push_back(index);
  changed_.NotifyOne();
}

void LoadStreams::Adopt() {
  std::vector<Dialled> dialled;
  {
    base::MutexLock lock(&mutex_);
    // A few at a time: who is connected already is served first.
    const auto end =
        dialled_.begin() + std::min<ptrdiff_t>(dialled_.size(), kAdoptsATurn);
    std::move(dialled_.begin(), end, std::back_inserter(dialled));
    dialled_.erase(dialled_.begin(), end);
    if (!dialled_.empty()) bell_.Ring();
  }
  for (Dialled& done : dialled) {
    if (done.connection == nullptr) {
      Drop(done.stream, done.error);
      continue;
    }
    Stream& stream = streams_[done.stream];
    stream.connection = std::move(done.connection);
    stream.call = std::make_unique<agent::GrpcCall>(options_.collector,
                                                    wire::kReportPath, 1 << 20);
    stream.output.clear();
    stream.output_begin = 0;
    stream.wants_out = false;
    stream.welcomed = false;
    stream.sent_at.clear();
    if (stream.acked > 0 || stream.sent > 0) {
      const uint32_t before = stream.limit - stream.acked;
      std::vector<std::string> rest = rewind_(done.stream, stream.acked);
      stream.first_sequence += stream.acked;
      stream.batches = std::move(rest);
      stream.sent = stream.acked = 0;
      stream.limit = before;
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = done.stream;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stream.connection->fd(), &event);
    v1::AgentMessage message;
    v1::Hello& hello = *message.mutable_hello();
    hello.set_protocol(1);
    hello.set_agent_version("bench");
    hello.set_run_id(stream.run.data(), stream.run.size());
    hello.set_boot_id("bench");
    *hello.mutable_clock() = wire::ToStamp(absl::Now());
    hello.mutable_facts()->set_host_name(absl::StrCat("bench-", done.stream));
    hello.mutable_facts()->set_endpoint_class(v1::ENDPOINT_CLASS_LAPTOP);
    stream.call->Send(message.SerializeAsString());
    Flush(done.stream);
  }
}

void LoadStreams::Drop(uint32_t index, const std::string& why) {
  Stream& stream = streams_[index];
  last_error_ = why;
  if (stream.welcomed) --welcomed_;
  stream.welcomed = false;
  stream.connection.reset();  // also leaves epoll
  stream.call.reset();
  static thread_local std::mt19937_64 random{4711};
  const absl::Duration ceiling =
      std::min(options_.longest_wait,
               options_.first_wait * (1 << std::min(stream.failures, 12)));
  ++stream.failures;
  const double share = std::uniform_real_distribution<>(0, 1)(random);
  Want(index, ceiling * share + absl::Milliseconds(1));
}

void LoadStreams::Flush(uint32_t index) {
  Stream& stream = streams_[index];
  for (;;) {
    if (stream.output_begin == stream.output.size()) {
      stream.output_begin = 0;
      if (!stream.call->TakeOutput(stream.output)) break;
    }
    const auto taken = stream.connection->Write(
        absl::string_view(stream.output).substr(stream.output_begin));
    if (!taken.ok()) return Drop(index, std::string(taken.status().message()));
    if (*taken == 0) break;
    stream.output_begin += *taken;
  }
  const bool wants = stream.output_begin < stream.output.size();
  if (wants == stream.wants_out) return;
  stream.wants_out = wants;
  epoll_event event{};
  event.events = EPOLLIN;
  if (wants) event.events |= EPOLLOUT;
  event.data.u64 = index;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, stream.connection->fd(), &event);
}

void LoadStreams::Take(Stream& stream, const std::string& bytes) {
  v1::CollectorMessage message;
  if (!message.ParseFromString(bytes)) return;
  if (message.has_welcome()) {
    stream.welcomed = true;
    stream.welcomed_at = absl::Now();
    stream.awaits_first_ack = true;
    stream.failures = 0;
    ++welcomed_;
  } else if (message.has_ack()) {
    const uint64_t upto = message.ack().sequence() + 1;
    if (std::exchange(stream.awaits_first_ack, false)) {
      if (admission_ms_.empty()) first_ack_ = absl::Now();
      admission_ms_.push_back(MillisecondsSince(stream.welcomed_at));
    }
    while (stream.first_sequence + stream.acked < upto &&
           !stream.sent_at.empty()) {
      latencies_ms_.push_back(MillisecondsSince(stream.sent_at.front()));
      stream.sent_at.pop_front();
      ++stream.acked;
      ++acked_;
    }
  }
}

void LoadStreams::Pump(uint32_t index) {
  Stream& stream = streams_[index];
  if (stream.call == nullptr || !stream.welcomed) return;
  while (stream.sent < stream.limit && stream.sent < stream.batches.size() &&
         stream.sent - stream.acked < options_.window) {
    stream.call->Send(stream.batches[stream.sent]);
    // Needed no more, unless the stream breaks: then it is coded anew.
    std::string().swap(stream.batches[stream.sent]);
    ++stream.sent;
    stream.sent_at.push_back(absl::Now());
  }
  Flush(index);
}

void LoadStreams::Serve(uint32_t index, uint32_t events) {
  Stream& stream = streams_[index];
  if (stream.connection == nullptr) return;
  if ((events & ~EPOLLOUT) != 0) {
    for (;;) {
      const auto count = stream.connection->Read(input_.data(), input_.size());
      if (!count.ok())
        return Drop(index, std::string(count.status().message()));
      if (*count == 0) break;
      stream.call->Receive(absl::string_view(input_.data(), *count))
          .IgnoreError();
      while (const auto bytes = stream.call->NextMessage()) {
        Take(stream, *bytes);
      }
      if (stream.call->ended()) {
        return Drop(index, stream.call->status().ToString());
      }
    }
  }
  Pump(index);
}

void LoadStreams::Turn(absl::Duration wait) {
  while (!waiting_.empty() && waiting_.front().first <= absl::Now()) {
    std::pop_heap(waiting_.begin(), waiting_.end(), std::greater<>());
    Want(waiting_.back().second, absl::ZeroDuration());
    waiting_.pop_back();
  }
  if (!waiting_.empty()) {
    wait = std::min(wait, waiting_.front().first - absl::Now());
  }
  epoll_event events[256];
  const int count = epoll_wait(epoll_.get(), events, 256,
                               static_cast<int>(std::max<int64_t>(
                                   0, absl::ToInt64Milliseconds(wait) + 1)));
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == kBell) {
      bell_.Silence();
      Adopt();
    } else {
      Serve(static_cast<uint32_t>(events[i].data.u64), events[i].events);
    }
  }
}

absl::Status LoadStreams::Connect(absl::Duration patience) {
  for (uint32_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i].connection == nullptr) Want(i, absl::ZeroDuration());
  }
  const absl::Time until = absl::Now() + patience;
  while (welcomed_ < streams_.size()) {
    if (absl::Now() > until) {
      return absl::DeadlineExceededError(
          absl::StrCat("only ", welcomed_.load(), " of ", streams_.size(),
                       " streams were welcomed; last: ", last_error_));
    }
    Turn(absl::Milliseconds(100));
  }
  return absl::OkStatus();
}

absl::Status LoadStreams::SendUpTo(uint32_t count, absl::Duration pace,
                                   absl::Duration patience) {
  const absl::Time begin = absl::Now();
  const absl::Time until = begin + patience;
  const bool paced = pace > absl::ZeroDuration();
  std::vector<std::pair<absl::Time, uint32_t>> due;  // heap
  for (uint32_t i = 0; i < streams_.size(); ++i) {
    if (paced) {
      if (streams_[i].limit < count) {
        due.emplace_back(begin + pace * i / streams_.size(), i);
      }
    } else {
      wanted_ += count - std::min(count, streams_[i].limit);
      streams_[i].limit = count;
      Pump(i);
    }
  }
  std::make_heap(due.begin(), due.end(), std::greater<>());
  for (;;) {
    while (!due.empty() && due.front().first <= absl::Now()) {
      std::pop_heap(due.begin(), due.end(), std::greater<>());
      const auto [time, index] = due.back();
      due.pop_back();
      Stream& stream = streams_[index];
      ++wanted_;
      if (++stream.limit < count) {
        due.emplace_back(time + pace, index);
        std::push_heap(due.begin(), due.end(), std::greater<>());
      }
      Pump(index);
    }
    if (due.empty() && acked_ >= wanted_) return absl::OkStatus();
    if (absl::Now() > until) {
      return absl::DeadlineExceededError(absl::StrCat(
          "not all batches were acknowledged; last: ", last_error_));
    }
    Turn(due.empty() ? absl::Milliseconds(100)
                     : std::min(absl::Milliseconds(100),
                                due.front().first - absl::Now()));
  }
}

absl::Status LoadStreams::SendOne(uint32_t index, absl::Duration patience) {
  const absl::Time until = absl::Now() + patience;
  Stream& stream = streams_[index];
  ++stream.limit;
  ++wanted_;
  Pump(index);
  while (acked_ < wanted_) {
    if (absl::Now() > until) {
      return absl::DeadlineExceededError("the batch was not acknowledged");
    }
    Turn(absl::Milliseconds(100));
  }
  return absl::OkStatus();
}

LoadStreams::Bytes LoadStreams::bytes() const {
  Bytes bytes;
  for (const Stream& stream : streams_) {
    if (stream.connection == nullptr) continue;
    tcp_info info{};
    socklen_t size = sizeof(info);
    getsockopt(stream.connection->fd(), IPPROTO_TCP, TCP_INFO, &info, &size);
    bytes.sent += info.tcpi_bytes_acked;
    bytes.received += info.tcpi_bytes_received;
  }
  return bytes;
}

void LoadStreams::Idle(absl::Duration time) {
  const absl::Time until = absl::Now() + time;
  while (absl::Now() < until) Turn(until - absl::Now());
}

}  // namespace forewarn::bench
