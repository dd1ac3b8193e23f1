#ifndef FOREWARN_TESTS_SUPPORT_FAKE_CLOCK_H_
#define FOREWARN_TESTS_SUPPORT_FAKE_CLOCK_H_

#include "absl/time/time.h"
#include "protos/base/clock.h"
#include "protos/base/mutex.h"

namespace forewarn::testing {

// Stands still until advanced. Thread-safe.
class FakeClock final : public base::Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'800'000'000))
      : now_(now) {}

  absl::Time Now() const override {
    base::MutexLock lock(&mutex_);
    return now_;
  }
  absl::Duration SinceBoot() const override {
    base::MutexLock lock(&mutex_);
    return since_boot_;
  }
  absl::Duration Awake() const override {
    base::MutexLock lock(&mutex_);
    return awake_;
  }

  void Advance(absl::Duration by) {
    base::MutexLock lock(&mutex_);
    now_ += by;
    since_boot_ += by;
    awake_ += by;
  }
  // Time passes while the machine sleeps.
  void Sleep(absl::Duration by) {
    base::MutexLock lock(&mutex_);
    now_ += by;
    since_boot_ += by;
  }
  // The wall clock jumps; timers do not.
  void Jump(absl::Duration by) {
    base::MutexLock lock(&mutex_);
    now_ += by;
  }

 private:
  mutable base::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  absl::Duration since_boot_ ABSL_GUARDED_BY(mutex_) = absl::Hours(1);
  absl::Duration awake_ ABSL_GUARDED_BY(mutex_) = absl::Hours(1);
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_FAKE_CLOCK_H_
