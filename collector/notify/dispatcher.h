#ifndef FOREWARN_COLLECTOR_NOTIFY_DISPATCHER_H_
#define FOREWARN_COLLECTOR_NOTIFY_DISPATCHER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "collector/desk/outbox.h"
#include "collector/metrics/self_metrics.h"
#include "collector/notify/channel.h"
#include "collector/words/words.h"
#include "forewarn/v1/api.pb.h"
#include "protos/base/clock.h"
#include "protos/base/mutex.h"

namespace forewarn::notify {

struct DispatcherOptions {
  absl::Duration first_retry = absl::Seconds(5);
  absl::Duration longest_wait = absl::Hours(1);
  absl::Duration give_up_after = absl::Hours(24);
  uint64_t seed = 0;  // of the jitter; 0 = drawn
};

// Where the ticket of a notification is read; kNotFound gives it up.
using TicketFinder = std::function<absl::StatusOr<v1::TicketDetail>(uint32_t)>;

// Brings outbox rows to their channels: at least once, with one key. Each
// channel has a worker and a short queue of its own, so that a slow one delays
// no other. What failed waits with full jitter, doubling; a channel that
// failed rests as well, and then tries what has failed least, so that one
// message nobody accepts does not hold up the rest. All state is in the
// outbox: after a crash the rows are simply still due.
//
// Threads  Start and Stop from one thread; it has one of its own, and one per
//          channel, in between.
class Dispatcher {
 public:
  // All must outlive it.
  Dispatcher(DispatcherOptions options,
             std::vector<std::unique_ptr<Channel>> channels,
             desk::Outbox& outbox, TicketFinder find_ticket,
             const words::Words& words, metrics::SelfMetrics& metrics,
             base::Clock& clock);
  ~Dispatcher();

  void Start();
  // Cancels what is being sent; those rows stay due.
  void Stop();

 private:
  struct Lane;

  void Run();
  void Work(Lane& lane);
  // Hands due rows to the lanes; the wait until there may be more.
  absl::Duration Schedule();
  // False when a lane could take more than these rows offered.
  bool Assign(const std::vector<v1::Notification>& rows,
              const absl::flat_hash_set<uint32_t>& were_in_flight,
              absl::Time now);
  Lane* FindLane(const std::string& name);
  absl::Duration WaitForNext(absl::Time now);

  void Deliver(Lane& lane, const v1::Notification& row);
  absl::Status Send(Lane& lane, const v1::Notification& row);
  void Fail(Lane& lane, const v1::Notification& row,
            const absl::Status& failure);
  bool IsHopeless(const v1::Notification& row, const absl::Status& failure,
                  absl::Time now) const;
  absl::Duration Jitter(uint32_t failures);
  // Writes until the outbox takes it, or Stop: a row sent but not marked would
  // be sent again.
  void Record(const v1::Notification& row, absl::string_view what,
              const std::function<absl::Status()>& write);

  const DispatcherOptions options_;
  desk::Outbox& outbox_;
  const TicketFinder find_ticket_;
  const words::Words& words_;
  metrics::SelfMetrics& metrics_;
  base::Clock& clock_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  base::Alarm alarm_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;

  base::Mutex mutex_;
  absl::flat_hash_set<uint32_t> in_flight_ ABSL_GUARDED_BY(mutex_);
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace forewarn::notify

#endif  // FOREWARN_COLLECTOR_NOTIFY_DISPATCHER_H_
