#include "agent/uplink/uplink.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

using base::Log;
using base::LogLevel;

constexpr size_t kInboxBound = 4096;
constexpr absl::Duration kNotEnrolledWait = absl::Seconds(10);
constexpr absl::Duration kIdle = absl::Minutes(1);
// Should the word that the machine is awake again never come.
constexpr absl::Duration kLongestSuspend = absl::Minutes(2);
// So often a batch may end a stream before it is given up. A collector that
// is short of something (kResourceExhausted) deserves more patience.
constexpr int kStrikes = 3;
constexpr int kExhaustedStrikes = 20;

bool IsRefusal(const absl::Status& status) {
  return absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status);
}

void SetTimestamp(absl::Time time, google::protobuf::Timestamp& out) {
  const int64_t ns = absl::ToUnixNanos(time);
  out.set_seconds(ns / 1000000000);
  out.set_nanos(static_cast<int32_t>(ns % 1000000000));
}

}  // namespace

absl::string_view NameOf(UplinkPhase phase) {
  switch (phase) {
    case UplinkPhase::kUnspecified:
      break;
    case UplinkPhase::kNotEnrolled:
      return "not enrolled";
    case UplinkPhase::kConnecting:
      return "connecting";
    case UplinkPhase::kConnected:
      return "connected";
    case UplinkPhase::kWaiting:
      return "waiting to try again";
    case UplinkPhase::kSuspended:
      return "suspended";
    case UplinkPhase::kStopped:
      return "stopped";
  }
  return "unknown";
}

Uplink::Uplink(base::Clock& clock, Transport& transport, const KeyStore& store,
               Spool& spool, Options options)
    : clock_(clock),
      transport_(transport),
      store_(store),
      spool_(spool),
      options_(std::move(options)),
      backoff_(options_.first_wait, options_.longest_wait, options_.seed),
      refused_backoff_(options_.refused_wait, 5 * options_.refused_wait,
                       options_.seed + 1) {
  base::MutexLock lock(&mutex_);
  state_.since = clock_.Now();
}

Uplink::~Uplink() { Stop(v1::Goodbye::REASON_STOP, absl::ZeroDuration()); }

void Uplink::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Uplink::Run() {
  for (;;) {
    const Wish now = wish();
    if (now == Wish::kStop) break;
    if (now == Wish::kSuspend) {
      SleepUntilResumed();
      continue;
    }
    WaitOut(Try());
  }
  SetPhase(UplinkPhase::kStopped);
  base::MutexLock lock(&mutex_);
  ended_ = true;
  changed_.NotifyAll();
}

absl::Duration Uplink::Try() {
  const absl::StatusOr<Identity> identity = store_.Load();
  if (!identity.ok()) {
    const std::string error = base::ToLine(identity.status());
    if (std::exchange(logged_error_, error) != error) {
      Log(LogLevel::kWarning, "not enrolled; samples go to the spool",
          {{"error", error}});
    }
    SetPhase(UplinkPhase::kNotEnrolled, error);
    return kNotEnrolledWait;
  }
  if (clock_.Now() >= identity->not_after) {
    last_was_refused_ = true;
    if (options_.on_refused) options_.on_refused();
    return AfterFailure(
        absl::UnauthenticatedError(absl::StrCat(
            "this endpoint's certificate expired at ",
            absl::FormatTime(identity->not_after, absl::UTCTimeZone()),
            "; renewing it")),
        false);
  }
  const std::vector<std::string>& collectors =
      options_.collectors.empty() ? identity->collectors : options_.collectors;
  if (collectors.empty()) {
    return AfterFailure(
        absl::FailedPreconditionError(
            "no collector is known; name one under `collectors`"),
        false);
  }
  return TryCollector(collectors[next_collector_ % collectors.size()],
                      *identity);
}

absl::Duration Uplink::TryCollector(const std::string& collector,
                                    const Identity& identity) {
  {
    base::MutexLock lock(&mutex_);
    state_.collector = collector;
  }
  SetPhase(UplinkPhase::kConnecting);
  const std::unique_ptr<Stream> stream = transport_.Open(collector, identity);
  {
    base::MutexLock lock(&mutex_);
    if (wish_ != Wish::kRun) return absl::ZeroDuration();
    stream_ = stream.get();
  }
  StreamSession::Options session_options = options_.session;
  // A batch under suspicion travels alone, so that it is known for sure.
  if (suspect_.has_value()) session_options.max_window = 1;
  StreamSession session(spool_, std::move(session_options));
  const absl::Status status = RunStream(*stream, session);
  spool_.SetConnected(false);

  if (session.acks() > 0) {
    backoff_.Reset();
    refused_backoff_.Reset();
  }
  // The list is in order of preference: after a good stream from its top.
  next_collector_ = session.acks() > 0 ? 0 : next_collector_ + 1;
  if (session.exhausted()) return absl::ZeroDuration();
  SuspectPoison(status, session);
  {
    base::MutexLock lock(&mutex_);
    if (std::exchange(reconnect_, false) || wish_ != Wish::kRun) {
      return absl::ZeroDuration();
    }
  }
  return AfterFailure(status, session.welcomed());
}

absl::Status Uplink::RunStream(Stream& stream, StreamSession& session) {
  v1::AgentMessage hello;
  *hello.mutable_hello() = MakeHello();
  Inbox inbox;
  std::thread reader;
  if (stream.Write(hello)) {
    reader = std::thread([this, &stream, &inbox] {
      v1::CollectorMessage message;
      while (stream.Read(message)) {
        {
          base::MutexLock lock(&inbox.mutex);
          if (inbox.messages.size() >= kInboxBound) break;
          inbox.messages.push_back(std::move(message));
        }
        alarm_.Wake();
      }
      base::MutexLock lock(&inbox.mutex);
      inbox.ended = true;
      alarm_.Wake();
    });
    // Cancelled only when it has not ended by itself: else its own status,
    // which says why, would be lost.
    if (Exchange(stream, session, inbox)) stream.Cancel();
    reader.join();
  }
  Drain(inbox, session);  // acknowledgements that came last
  {
    base::MutexLock lock(&mutex_);
    stream_ = nullptr;
  }
  return stream.Finish();
}

bool Uplink::Exchange(Stream& stream, StreamSession& session, Inbox& inbox) {
  const absl::Duration welcome_by =
      clock_.SinceBoot() + options_.welcome_within;
  for (;;) {
    if (!Drain(inbox, session)) return false;
    if (wish() != Wish::kRun) return SayGoodbye(stream, session, inbox);
    if (!session.welcomed() && clock_.SinceBoot() >= welcome_by) return true;
    if (!SendAll(stream, session, inbox)) return false;
    if (session.exhausted()) return SayGoodbye(stream, session, inbox);
    {
      base::MutexLock lock(&mutex_);
      if (reconnect_) return true;
    }
    alarm_.WaitFor(
        session.welcomed()
            ? kIdle
            : std::max(welcome_by - clock_.SinceBoot(), absl::Milliseconds(1)));
  }
}

bool Uplink::SendAll(Stream& stream, StreamSession& session, Inbox& inbox) {
  v1::AgentMessage message;
  while (session.Next(message)) {
    if (!stream.Write(message)) return false;
    if (!Drain(inbox, session)) return false;
  }
  return true;
}

bool Uplink::Drain(Inbox& inbox, StreamSession& session) {
  std::deque<v1::CollectorMessage> messages;
  bool ended = false;
  {
    base::MutexLock lock(&inbox.mutex);
    messages.swap(inbox.messages);
    ended = inbox.ended;
  }
  const bool was_welcomed = session.welcomed();
  const uint64_t acks = session.acks();
  for (const v1::CollectorMessage& message : messages) {
    session.Receive(message);
  }
  if (session.welcomed() && !was_welcomed) NoteWelcome(session);
  if (session.acks() > acks) {
    base::MutexLock lock(&mutex_);
    state_.last_ack = clock_.Now();
  }
  return !ended;
}

void Uplink::NoteWelcome(const StreamSession& session) {
  spool_.SetConnected(true);
  SetPhase(UplinkPhase::kConnected);
  const absl::Duration offset = session.collector_clock() - clock_.Now();
  std::string collector;
  {
    base::MutexLock lock(&mutex_);
    ++state_.streams;
    state_.clock_offset = offset;
    collector = state_.collector;
  }
  logged_error_.clear();
  last_was_refused_ = false;
  Log(LogLevel::kInfo, "connected",
      {{"collector", collector},
       {"clock_offset_seconds", absl::ToDoubleSeconds(offset)}});
}

bool Uplink::SayGoodbye(Stream& stream, StreamSession& session, Inbox& inbox) {
  absl::Duration until = clock_.SinceBoot() + absl::Seconds(5);
  v1::AgentMessage goodbye;
  {
    base::MutexLock lock(&mutex_);
    if (wish_ != Wish::kRun) {
      until = goodbye_until_;
      goodbye.mutable_goodbye()->set_reason(reason_);
    }
  }
  if (session.welcomed() && !session.exhausted() &&
      !SendAll(stream, session, inbox)) {
    return false;
  }
  // A stream that only begins anew is no goodbye.
  if (goodbye.has_goodbye() && !stream.Write(goodbye)) return false;
  stream.HalfClose();
  while (Drain(inbox, session)) {
    const absl::Duration left = until - clock_.SinceBoot();
    if (left <= absl::ZeroDuration()) return true;
    alarm_.WaitFor(left);
  }
  return false;
}

// A batch that ends stream after stream would hold up all behind it.
void Uplink::SuspectPoison(const absl::Status& status,
                           const StreamSession& session) {
  const std::optional<StreamSession::BatchKey> first = session.first_unacked();
  const bool of_the_batch = absl::IsInvalidArgument(status) ||
                            absl::IsDataLoss(status) ||
                            absl::IsResourceExhausted(status);
  if (!of_the_batch || !first.has_value()) {
    if (session.acks() > 0) suspect_.reset();
    return;
  }
  suspicions_ = suspect_ == first ? suspicions_ + 1 : 1;
  suspect_ = first;
  if (suspicions_ <
      (absl::IsResourceExhausted(status) ? kExhaustedStrikes : kStrikes)) {
    return;
  }
  Log(LogLevel::kError, "batch given up: the collector refuses it",
      {{"sequence", first->second}, {"error", base::ToLine(status)}});
  spool_.Drop(first->first, first->second, "refused by the collector");
  suspect_.reset();
}

absl::Duration Uplink::AfterFailure(const absl::Status& status, bool welcomed) {
  const bool refused = IsRefusal(status);
  const std::string error = status.ok()
                                ? (welcomed ? "the collector ended the stream"
                                            : "the collector sent no welcome")
                                : base::ToLine(status);
  if (refused && !last_was_refused_ && options_.on_refused) {
    options_.on_refused();
  }
  last_was_refused_ = refused;
  const absl::Duration wait =
      refused ? options_.refused_wait + refused_backoff_.Next()
              : backoff_.Next();
  // The same error again is not news.
  if (std::exchange(logged_error_, error) != error) {
    Log(refused ? LogLevel::kError : LogLevel::kWarning,
        refused ? "the collector refuses this endpoint"
                : "no connection to the collector; samples go to the spool",
        {{"collector", state().collector},
         {"error", error},
         {"next_try_seconds", absl::ToDoubleSeconds(wait)}});
  }
  SetPhase(UplinkPhase::kWaiting, error);
  return wait;
}

void Uplink::WaitOut(absl::Duration wait) {
  const absl::Duration until = clock_.SinceBoot() + wait;
  for (;;) {
    {
      base::MutexLock lock(&mutex_);
      if (wish_ != Wish::kRun || reconnect_ || try_now_) break;
    }
    const absl::Duration left = until - clock_.SinceBoot();
    if (left <= absl::ZeroDuration()) break;
    alarm_.WaitFor(left);
  }
  base::MutexLock lock(&mutex_);
  reconnect_ = false;
  try_now_ = false;
}

void Uplink::SleepUntilResumed() {
  SetPhase(UplinkPhase::kSuspended);
  const absl::Duration until = clock_.Awake() + kLongestSuspend;
  while (wish() == Wish::kSuspend) {
    const absl::Duration left = until - clock_.Awake();
    if (left <= absl::ZeroDuration()) {
      Resume();
      return;
    }
    alarm_.WaitFor(left);
  }
}

void Uplink::Stop(v1::Goodbye::Reason reason, absl::Duration patience) {
  if (!thread_.joinable()) return;
  {
    base::MutexLock lock(&mutex_);
    wish_ = Wish::kStop;
    reason_ = reason;
    goodbye_until_ = clock_.SinceBoot() + patience;
  }
  alarm_.Wake();
  const auto deadline =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(patience);
  {
    base::MutexLock lock(&mutex_);
    while (!ended_) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) {
        // A write that nobody takes would wait for ever.
        if (stream_ != nullptr) stream_->Cancel();
        changed_.Wait(&mutex_);
      } else {
        changed_.WaitFor(&mutex_, left);
      }
    }
  }
  thread_.join();
}

void Uplink::Suspend(absl::Duration patience) {
  const auto deadline =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(patience);
  {
    base::MutexLock lock(&mutex_);
    if (wish_ != Wish::kRun) return;
    wish_ = Wish::kSuspend;
    reason_ = v1::Goodbye::REASON_SUSPEND;
    goodbye_until_ = clock_.SinceBoot() + patience;
  }
  alarm_.Wake();
  base::MutexLock lock(&mutex_);
  while (state_.phase != UplinkPhase::kSuspended && !ended_) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) {
      if (stream_ != nullptr) stream_->Cancel();
      return;
    }
    changed_.WaitFor(&mutex_, left);
  }
}

void Uplink::Resume() {
  {
    base::MutexLock lock(&mutex_);
    if (wish_ != Wish::kSuspend) return;
    wish_ = Wish::kRun;
  }
  alarm_.Wake();
}

void Uplink::Reconnect() {
  {
    base::MutexLock lock(&mutex_);
    reconnect_ = true;
  }
  alarm_.Wake();
}

void Uplink::TryNow() {
  {
    base::MutexLock lock(&mutex_);
    try_now_ = true;
  }
  alarm_.Wake();
}

Uplink::State Uplink::state() const {
  base::MutexLock lock(&mutex_);
  return state_;
}

Uplink::Wish Uplink::wish() const {
  base::MutexLock lock(&mutex_);
  return wish_;
}

void Uplink::SetPhase(UplinkPhase phase, absl::string_view error) {
  base::MutexLock lock(&mutex_);
  if (state_.phase != phase) state_.since = clock_.Now();
  state_.phase = phase;
  if (!error.empty() || phase == UplinkPhase::kConnected) {
    state_.last_error = std::string(error);
  }
  changed_.NotifyAll();
}

v1::Hello Uplink::MakeHello() const {
  v1::Hello hello = options_.hello;
  hello.set_protocol(1);
  hello.set_run_id(spool_.run().data(), spool_.run().size());
  SetTimestamp(clock_.Now(), *hello.mutable_clock());
  return hello;
}

}  // namespace forewarn::agent
