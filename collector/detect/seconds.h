#ifndef FOREWARN_COLLECTOR_DETECT_SECONDS_H_
#define FOREWARN_COLLECTOR_DETECT_SECONDS_H_

#include "absl/time/time.h"

namespace forewarn::detect {

// absl::ToDoubleSeconds for less than 292 years, without its division: it is
// asked several times a sample.
inline double SecondsOf(absl::Duration duration) {
  return static_cast<double>(absl::ToInt64Nanoseconds(duration)) * 1e-9;
}

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_SECONDS_H_
