#ifndef FOREWARN_PROTOS_BASE_CLOCK_H_
#define FOREWARN_PROTOS_BASE_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "protos/base/mutex.h"

namespace forewarn::base {

// Where time comes from. Detectors never see a clock: they take time from the
// sample. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time, for people and for the wire. May jump.
  virtual absl::Time Now() const = 0;

  // Grows only, runs on while the machine sleeps (CLOCK_BOOTTIME). For
  // timers.
  virtual absl::Duration SinceBoot() const = 0;

  // Like SinceBoot, but stands still while the machine sleeps
  // (CLOCK_MONOTONIC): the difference of the two shows a suspend.
  virtual absl::Duration Awake() const = 0;

  static Clock& System();
};

// Interruptible waiting. One waiter; Wake from any thread.
class Alarm {
 public:
  // Returns true if woken, false when `timeout` has passed. A wake that came
  // before the call is not lost.
  bool WaitFor(absl::Duration timeout);
  void Wake();

 private:
  Mutex mutex_;
  CondVar condition_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_CLOCK_H_
