#include "protos/base/clock.h"

#include <time.h>

#include <algorithm>
#include <chrono>

#include "absl/time/clock.h"

namespace forewarn::base {
namespace {

absl::Duration Read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return absl::DurationFromTimespec(now);
}

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
  absl::Duration SinceBoot() const override { return Read(CLOCK_BOOTTIME); }
  absl::Duration Awake() const override { return Read(CLOCK_MONOTONIC); }
};

}  // namespace

Clock& Clock::System() {
  static SystemClock* const clock = new SystemClock;
  return *clock;
}

bool Alarm::WaitFor(absl::Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() +
                        absl::ToChronoNanoseconds(
                            std::min(timeout, absl::Hours(24 * 365)));
  MutexLock lock(&mutex_);
  while (!woken_) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) return false;
    condition_.WaitFor(&mutex_, left);
  }
  woken_ = false;
  return true;
}

void Alarm::Wake() {
  MutexLock lock(&mutex_);
  woken_ = true;
  condition_.NotifyOne();
}

}  // namespace forewarn::base
