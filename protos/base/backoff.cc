#include "protos/base/backoff.h"

#include <algorithm>

#include "protos/base/seeded_bug.h"

namespace forewarn::base {

Backoff::Backoff(absl::Duration first, absl::Duration cap, uint64_t seed)
    : first_(first), cap_(cap), random_(seed) {}

absl::Duration Backoff::Next() {
  // 2^30 times any sensible first wait is beyond any sensible cap.
  const absl::Duration ceiling =
      std::min(cap_, first_ * (int64_t{1} << std::min(failures_, 30)));
  ++failures_;
  if (Seeded(Bug::kNoJitter)) return ceiling;
  return ceiling * std::uniform_real_distribution<double>(0, 1)(random_);
}

}  // namespace forewarn::base
