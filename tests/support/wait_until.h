#ifndef FOREWARN_TESTS_SUPPORT_WAIT_UNTIL_H_
#define FOREWARN_TESTS_SUPPORT_WAIT_UNTIL_H_

#include <functional>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace forewarn::testing {

// Looks until `condition` holds; false when it did not within `limit`, which
// is generous: it bounds a failure, not a success.
inline bool WaitUntil(const std::function<bool()>& condition,
                      absl::Duration limit = absl::Seconds(20)) {
  const absl::Time end = absl::Now() + limit;
  while (!condition()) {
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_WAIT_UNTIL_H_
