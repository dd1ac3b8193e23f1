#ifndef FOREWARN_PROTOS_BASE_BACKOFF_H_
#define FOREWARN_PROTOS_BASE_BACKOFF_H_

#include <random>

#include "absl/time/time.h"

namespace forewarn::base {

// Exponential back-off with full jitter: the n-th wait is uniform in
// [0, min(cap, first * 2^n)], so that a fleet that lost its collector at one
// moment does not come back at one moment.
//
// Source   M. Brooker, "Exponential Backoff And Jitter", AWS, 2015.
// Threads  thread-compatible.
class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration cap, uint64_t seed);

  absl::Duration Next();
  void Reset() { failures_ = 0; }
  int failures() const { return failures_; }

 private:
  const absl::Duration first_;
  const absl::Duration cap_;
  std::mt19937_64 random_;
  int failures_ = 0;
};

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_BACKOFF_H_
