#ifndef FOREWARN_PROTOS_BASE_BOUNDED_QUEUE_H_
#define FOREWARN_PROTOS_BASE_BOUNDED_QUEUE_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "protos/base/mutex.h"

namespace forewarn::base {

// A queue from many threads to one that never grows past its bound. When full,
// TryPush refuses and counts; what to do then is the caller's policy.
// Thread-safe, but only one thread may pop.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t bound) : bound_(bound) {}

  // False when full or closed; `item` is then left as it was.
  bool TryPush(T&& item) {
    MutexLock lock(&mutex_);
    if (closed_ || items_.size() >= bound_) {
      ++refused_;
      return false;
    }
    Add(std::move(item));
    return true;
  }

  // Waits for room. False only when closed.
  bool Push(T item) {
    MutexLock lock(&mutex_);
    while (!closed_ && items_.size() >= bound_) not_full_.Wait(&mutex_);
    if (closed_) return false;
    Add(std::move(item));
    return true;
  }

  // Everything there is, at most `most`; waits up to `timeout` for the first.
  // Empty on time-out or once closed and drained.
  std::vector<T> PopAll(absl::Duration timeout, size_t most = SIZE_MAX) {
    return Gather(timeout, absl::ZeroDuration(), 1, most);
  }

  // The same, but after the first one it waits up to `gather` more for
  // `enough`: one wake-up for many.
  std::vector<T> Gather(absl::Duration timeout, absl::Duration gather,
                        size_t enough, size_t most = SIZE_MAX) {
    std::vector<T> taken;
    MutexLock lock(&mutex_);
    AwaitItems(1, timeout);
    if (items_.empty()) return taken;
    AwaitItems(enough, gather);
    while (!items_.empty() && taken.size() < most) {
      taken.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    not_full_.NotifyAll();
    return taken;
  }

  // No more pushes; poppers get what is left, then nothing.
  void Close() {
    MutexLock lock(&mutex_);
    closed_ = true;
    not_empty_.NotifyAll();
    not_full_.NotifyAll();
  }

  bool closed() const {
    MutexLock lock(&mutex_);
    return closed_;
  }
  size_t size() const {
    MutexLock lock(&mutex_);
    return items_.size();
  }
  uint64_t refused() const {
    MutexLock lock(&mutex_);
    return refused_;
  }

 private:
  void Add(T&& item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    items_.push_back(std::move(item));
    if (items_.size() >= wake_at_) not_empty_.NotifyAll();
  }

  void AwaitItems(size_t count, absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto deadline =
        std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
    count = std::min(count, bound_);
    while (items_.size() < count && !closed_) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) break;
      wake_at_ = std::min(wake_at_, count);
      not_empty_.WaitFor(&mutex_, left);
    }
    wake_at_ = SIZE_MAX;
  }

  const size_t bound_;
  mutable Mutex mutex_;
  CondVar not_empty_;
  CondVar not_full_;
  std::deque<T> items_ ABSL_GUARDED_BY(mutex_);
  // Who waits wants so many.
  size_t wake_at_ ABSL_GUARDED_BY(mutex_) = SIZE_MAX;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_BOUNDED_QUEUE_H_
