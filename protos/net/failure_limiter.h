#ifndef FOREWARN_PROTOS_NET_FAILURE_LIMITER_H_
#define FOREWARN_PROTOS_NET_FAILURE_LIMITER_H_

#include <cstddef>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protos/base/mutex.h"

namespace forewarn::net {

// Slows down who keeps failing from one address (IPv6: one /64 network), and
// nobody else: a success costs nothing, so a fleet behind one address may
// enrol at once.
//
// A leaky bucket of `burst` failures, one forgiven every `forgive`. Time is
// the Clock's SinceBoot. Knows at most `addresses`; beyond that it forgets
// those that were forgiven, then any. Thread-safe.
class FailureLimiter {
 public:
  struct Options {
    double burst = 20;
    absl::Duration forgive = absl::Seconds(3);
    size_t addresses = 4096;
  };
  explicit FailureLimiter(Options options) : options_(options) {}

  // How long `address` must wait before it may try again; zero: not at all.
  absl::Duration Wait(absl::string_view address, absl::Duration now) const;
  void Failed(absl::string_view address, absl::Duration now);

 private:
  struct Bucket {
    double failures = 0;
    absl::Duration at;
  };
  double LevelAt(const Bucket& bucket, absl::Duration now) const;
  void MakeRoomLocked(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  mutable base::Mutex mutex_;
  absl::flat_hash_map<std::string, Bucket> buckets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace forewarn::net

#endif  // FOREWARN_PROTOS_NET_FAILURE_LIMITER_H_
