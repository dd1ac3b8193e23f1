#ifndef FOREWARN_AGENT_UPLINK_UPLINK_H_
#define FOREWARN_AGENT_UPLINK_UPLINK_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/identity/key_store.h"
#include "agent/spool/spool.h"
#include "agent/uplink/stream_session.h"
#include "agent/uplink/transport.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/base/backoff.h"
#include "protos/base/clock.h"
#include "protos/base/mutex.h"

namespace forewarn::agent {

enum class UplinkPhase {
  kUnspecified = 0,
  kNotEnrolled,
  kConnecting,
  kConnected,
  kWaiting,  // for the next try
  kSuspended,
  kStopped,
};
absl::string_view NameOf(UplinkPhase phase);

// Keeps one stream to one collector of the list and moves the spool's batches
// over it. Reconnects with full jitter, tries the list in order, sends again
// what was not acknowledged, says goodbye with its reason.
//
// Threads: one of its own, and one that reads while a stream is open. All
// public functions are thread-safe.
class Uplink {
 public:
  struct Options {
    // Instead of those that enrolment named; host:port.
    std::vector<std::string> collectors;
    v1::Hello hello;  // run and clock are filled in
    absl::Duration first_wait = absl::Seconds(1);
    absl::Duration longest_wait = absl::Seconds(60);
    // After the collector refused this endpoint; up to twice that.
    absl::Duration refused_wait = absl::Minutes(1);
    absl::Duration welcome_within = absl::Seconds(20);
    uint64_t seed = 0;
    StreamSession::Options session;
    // Called by the own thread: the certificate has expired, or the collector
    // refused it.
    std::function<void()> on_refused;
  };

  struct State {
    UplinkPhase phase = UplinkPhase::kNotEnrolled;
    std::string collector;
    absl::Time since;  // of the phase
    absl::Time last_ack = absl::InfinitePast();
    std::string last_error;       // why the last stream ended or did not begin
    uint64_t streams = 0;         // that were welcomed
    absl::Duration clock_offset;  // collector's clock minus ours
  };

  // All must outlive it.
  Uplink(base::Clock& clock, Transport& transport, const KeyStore& store,
         Spool& spool, Options options);
  ~Uplink();

  void Start();

  // There is something new in the spool.
  void Notify() { alarm_.Wake(); }

  // Sends what the credits allow, says goodbye, half-closes, waits at most
  // `patience` for what is under way, and ends.
  void Stop(v1::Goodbye::Reason reason, absl::Duration patience);

  // Goodbye before the machine sleeps; returns when it is said, at most after
  // `patience`. Nothing is sent until Resume, or two minutes awake.
  void Suspend(absl::Duration patience);
  void Resume();

  // The stream is likely dead: begins another one.
  void Reconnect();

  // Whatever was in the way is gone: ends the wait before the next try.
  void TryNow();

  State state() const;

 private:
  enum class Wish { kRun, kSuspend, kStop };

  // Where the reading thread puts messages; shared with it.
  struct Inbox {
    base::Mutex mutex;
    std::deque<v1::CollectorMessage> messages ABSL_GUARDED_BY(mutex);
    bool ended ABSL_GUARDED_BY(mutex) = false;
  };

  void Run();
  // One try: a stream from its beginning to its end. Returns how long to wait
  // before the next.
  absl::Duration Try();
  absl::Duration TryCollector(const std::string& collector,
                              const Identity& identity);
  absl::Status RunStream(Stream& stream, StreamSession& session);
  // Both return true when the stream is still alive at their end.
  bool Exchange(Stream& stream, StreamSession& session, Inbox& inbox);
  bool SayGoodbye(Stream& stream, StreamSession& session, Inbox& inbox);
  bool Drain(Inbox& inbox, StreamSession& session);
  bool SendAll(Stream& stream, StreamSession& session, Inbox& inbox);
  void NoteWelcome(const StreamSession& session);
  absl::Duration AfterFailure(const absl::Status& status, bool welcomed);
  void SuspectPoison(const absl::Status& status, const StreamSession& session);
  void SetPhase(UplinkPhase phase, absl::string_view error = "");
  void WaitOut(absl::Duration wait);
  void SleepUntilResumed();
  Wish wish() const;
  v1::Hello MakeHello() const;

  base::Clock& clock_;
  Transport& transport_;
  const KeyStore& store_;
  Spool& spool_;
  const Options options_;
  base::Alarm alarm_;
  std::thread thread_;

  // The own thread's.
  base::Backoff backoff_;
  base::Backoff refused_backoff_;
  size_t next_collector_ = 0;
  bool last_was_refused_ = false;
  std::optional<StreamSession::BatchKey> suspect_;
  int suspicions_ = 0;
  std::string logged_error_;

  mutable base::Mutex mutex_;
  base::CondVar changed_;
  Wish wish_ ABSL_GUARDED_BY(mutex_) = Wish::kRun;
  v1::Goodbye::Reason reason_ ABSL_GUARDED_BY(mutex_) =
      v1::Goodbye::REASON_UNSPECIFIED;
  absl::Duration goodbye_until_ ABSL_GUARDED_BY(mutex_);  // since boot
  bool reconnect_ ABSL_GUARDED_BY(mutex_) = false;
  bool try_now_ ABSL_GUARDED_BY(mutex_) = false;
  Stream* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;  // while one is open
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  State state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_UPLINK_UPLINK_H_
