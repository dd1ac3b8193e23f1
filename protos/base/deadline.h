#ifndef FOREWARN_PROTOS_BASE_DEADLINE_H_
#define FOREWARN_PROTOS_BASE_DEADLINE_H_

#include <algorithm>

#include "absl/time/time.h"
#include "protos/base/clock.h"

namespace forewarn::base {

// A moment to come that no change of the wall clock moves.
class Deadline {
 public:
  explicit Deadline(absl::Duration within)
      : at_(Clock::System().Awake() + within) {}

  // Zero when it has passed.
  absl::Duration Left() const {
    return std::max(at_ - Clock::System().Awake(), absl::ZeroDuration());
  }

 private:
  absl::Duration at_;
};

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_DEADLINE_H_
