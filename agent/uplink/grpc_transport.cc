#include "agent/uplink/grpc_transport.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/uplink/grpc_call.h"
#include "agent/uplink/tls_connection.h"
#include "protos/base/bell.h"
#include "protos/base/clock.h"
#include "protos/base/mutex.h"
#include "protos/net/tcp_connect.h"
#include "protos/wire/grpc_frames.h"

namespace forewarn::agent {
namespace {

constexpr absl::Duration kConnectWithin = absl::Seconds(10);
// So long without traffic, then so long for the answer to a ping.
constexpr absl::Duration kQuiet = absl::Seconds(20);
constexpr size_t kMaxAnswer = 1 << 20;
// A writer waits while flow control keeps more than this back.
constexpr size_t kMaxUnsent = 64 << 10;

// The reading thread owns the waiting: it polls, feeds the call and sends
// what could not be sent at once. The writing thread sends by itself while
// the socket takes it.
class GrpcStream final : public Stream {
 public:
  GrpcStream(std::string collector, Identity identity)
      : collector_(std::move(collector)),
        identity_(std::move(identity)),
        call_(collector_, wire::kReportPath, kMaxAnswer) {}

  bool Write(const v1::AgentMessage& message) override {
    if (!Connected()) return false;
    base::MutexLock lock(&mutex_);
    if (Over()) return false;
    call_.Send(message.SerializeAsString());
    Flush();
    if (output_left()) bell_.Ring();  // the reader waits for the socket too
    while (!Over() && call_.unsent_bytes() > kMaxUnsent) sent_.Wait(&mutex_);
    return !Over();
  }

  bool Read(v1::CollectorMessage& message) override {
    base::MutexLock lock(&mutex_);
    for (;;) {
      if (const std::optional<std::string> bytes = call_.NextMessage()) {
        if (message.ParseFromString(*bytes)) return true;
        Fail(absl::InternalError("the collector's message is malformed"));
      }
      if (Over()) {
        sent_.NotifyAll();
        return false;
      }
      Flush();
      KeepAlive();
      if (!Over()) WaitAndReceive();
    }
  }

  void HalfClose() override {
    base::MutexLock lock(&mutex_);
    call_.HalfClose();
    Flush();
    if (output_left()) bell_.Ring();
  }

  void Cancel() override {
    base::MutexLock lock(&mutex_);
    cancelled_ = true;
    call_.Cancel();
    Flush();
    sent_.NotifyAll();
    bell_.Ring();
  }

  absl::Status Finish() override {
    base::MutexLock lock(&mutex_);
    if (cancelled_) return absl::CancelledError("cancelled");
    return failure_.ok() ? call_.status() : failure_;
  }

 private:
  // The clock that nobody sets, and that stands still in a sleep, which is no
  // silence of the collector.
  static absl::Duration Now() { return base::Clock::System().Awake(); }

  // The first Write connects; only the writing thread comes here.
  bool Connected() {
    {
      base::MutexLock lock(&mutex_);
      if (connection_ != nullptr) return true;
      if (Over()) return false;
    }
    absl::StatusOr<std::unique_ptr<TlsConnection>> connection =
        TlsConnection::Dial(collector_, identity_, kConnectWithin, bell_.fd());
    base::MutexLock lock(&mutex_);
    if (!connection.ok()) {
      Fail(connection.status());
      return false;
    }
    connection_ = *std::move(connection);
    heard_ = Now();
    return !Over();
  }

  bool Over() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return cancelled_ || !failure_.ok() || call_.ended();
  }

  void Fail(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (failure_.ok()) failure_ = std::move(status);
  }

  bool output_left() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return output_begin_ < output_.size();
  }

  void Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (connection_ == nullptr) return;
    for (;;) {
      if (!output_left()) {
        output_begin_ = 0;
        if (!call_.TakeOutput(output_)) break;
      }
      const absl::StatusOr<size_t> taken =
          connection_->Write(absl::string_view(output_).substr(output_begin_));
      if (!taken.ok()) {
        // What the collector said before it went is worth more.
        if (!call_.ended()) write_failure_ = taken.status();
        output_begin_ = output_.size();
        break;
      }
      if (*taken == 0) break;
      output_begin_ += *taken;
    }
    sent_.NotifyAll();
  }

  void KeepAlive() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const absl::Duration now = Now();
    if (now - heard_ >= 2 * kQuiet && call_.pinging()) {
      Fail(absl::UnavailableError(
          absl::StrCat("the collector at ", collector_, " does not answer")));
    } else if (now - heard_ >= kQuiet && !call_.pinging()) {
      call_.Ping();
      heard_ = now - kQuiet;
      Flush();
    }
  }

  void WaitAndReceive() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const short events =
        static_cast<short>(output_left() ? POLLIN | POLLOUT : POLLIN);
    const absl::Duration left =
        heard_ + (call_.pinging() ? 2 * kQuiet : kQuiet) - Now();
    pollfd waiting[] = {{connection_->fd(), events, 0},
                        {bell_.fd(), POLLIN, 0}};
    const int patience = static_cast<int>(
        std::clamp<int64_t>(absl::ToInt64Milliseconds(left) + 1, 0, 60000));
    mutex_.Unlock();
    poll(waiting, 2, patience);
    mutex_.Lock();
    if (waiting[1].revents != 0 && !cancelled_) bell_.Silence();
    if (waiting[0].revents == 0) return;
    for (;;) {
      const absl::StatusOr<size_t> count =
          connection_->Read(input_.data(), input_.size());
      if (!count.ok()) {
        if (!call_.ended()) Fail(EndOf(count.status()));
        return;
      }
      if (*count == 0) return;
      heard_ = Now();
      answered_ = true;
      const absl::Status status =
          call_.Receive(absl::string_view(input_.data(), *count));
      if (!status.ok() || call_.ended()) return;
    }
  }

  // In TLS 1.3 a refused client certificate shows only after the handshake,
  // and gRPC's server then hangs up without a word.
  absl::Status EndOf(const absl::Status& read)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (absl::IsUnauthenticated(read)) return read;
    if (!answered_) {
      return absl::UnavailableError(absl::StrCat(
          read.message(), "; it may not accept this endpoint's certificate"));
    }
    return write_failure_.ok() ? read : write_failure_;
  }

  const std::string collector_;
  const Identity identity_;
  const base::Bell bell_;

  base::Mutex mutex_;
  base::CondVar sent_;
  GrpcCall call_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<TlsConnection> connection_ ABSL_GUARDED_BY(mutex_);
  std::string output_ ABSL_GUARDED_BY(mutex_);
  size_t output_begin_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<char, 4096> input_ ABSL_GUARDED_BY(mutex_);
  absl::Duration heard_ ABSL_GUARDED_BY(mutex_);
  bool answered_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  absl::Status write_failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Stream> GrpcTransport::Open(const std::string& collector,
                                            const Identity& identity) {
  return std::make_unique<GrpcStream>(collector, identity);
}

absl::Status GrpcTransport::Probe(const std::string& collector,
                                  const Identity& identity,
                                  absl::Duration timeout) {
  const base::Bell never;
  const absl::StatusOr<std::unique_ptr<TlsConnection>> connection =
      TlsConnection::Dial(collector, identity, timeout, never.fd());
  if (!connection.ok()) return connection.status();
  // In TLS 1.3 a refused client certificate shows only after the handshake.
  const base::Deadline second_thought(absl::Milliseconds(500));
  std::array<char, 1024> input;
  while (net::AwaitReady((*connection)->fd(), POLLIN, second_thought).ok()) {
    const absl::StatusOr<size_t> count =
        (*connection)->Read(input.data(), input.size());
    if (!count.ok()) {
      return absl::PermissionDeniedError(
          absl::StrCat(count.status().message(),
                       "; it may not accept this endpoint's certificate"));
    }
  }
  return absl::OkStatus();
}

}  // namespace forewarn::agent
