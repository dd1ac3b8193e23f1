#ifndef FOREWARN_COLLECTOR_DETECT_DAY_RHYTHM_H_
#define FOREWARN_COLLECTOR_DETECT_DAY_RHYTHM_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"

namespace forewarn::detect {

// Two days of a series in half hours, to tell a trend from what every day
// brings: memory that grows until the evening, a room that warms by noon.
//
// Memory   400 bytes.
// Threads  thread-compatible.
class DayRhythm {
 public:
  // Times ascend.
  void Add(absl::Time time, double value);

  // How much the series rose in `window` until this time of yesterday, beyond
  // its share of what it has gained since then. nullopt while yesterday is
  // not known, and for windows under an hour or over a day.
  std::optional<double> RiseOfYesterday(absl::Time now,
                                        absl::Duration window) const;

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.values_, self.slot_, self.sum_, self.count_);
  }

 private:
  static constexpr size_t kSlots = 96;

  std::optional<double> At(absl::Time time) const;

  std::vector<float> values_;  // by slot number modulo kSlots; NaN: none
  int64_t slot_ = INT64_MIN;   // the open one
  double sum_ = 0;
  uint32_t count_ = 0;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_DAY_RHYTHM_H_
