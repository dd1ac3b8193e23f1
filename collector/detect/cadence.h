#ifndef FOREWARN_COLLECTOR_DETECT_CADENCE_H_
#define FOREWARN_COLLECTOR_DETECT_CADENCE_H_

#include <algorithm>

#include "absl/time/time.h"

namespace forewarn::detect {

// How often a series is sampled, learnt from its samples: follows a changed
// tick, does not fall for a gap.
class Cadence {
 public:
  // How long the sample at `time` speaks for: the time since the one before,
  // less where there was a gap, which is over three intervals; zero for the
  // first.
  absl::Duration Observe(absl::Time time) {
    const absl::Duration since = time - last_;
    const bool first = last_ == absl::InfinitePast();
    last_ = time;
    gap_ = first;
    if (first) return absl::ZeroDuration();
    if (interval_ == absl::ZeroDuration()) interval_ = since;
    // In sums: a Duration is slow to multiply and to divide.
    const absl::Duration longest = interval_ + interval_ + interval_;
    if (since <= longest) {
      interval_ +=
          absl::Nanoseconds(absl::ToInt64Nanoseconds(since - interval_) / 5);
      gaps_ = 0;
      return since;
    }
    gap_ = true;
    // Three gaps in a row are the new tick.
    if (++gaps_ >= 3) {
      interval_ = since;
      gaps_ = 0;
    }
    return std::min(since, interval_ + interval_ + interval_);
  }

  absl::Duration interval() const { return interval_; }
  absl::Time last() const { return last_; }
  // The sample last observed came after a gap, or was the first.
  bool after_gap() const { return gap_; }

  // Not seen for so long while its endpoint goes on reporting: gone.
  bool Vanished(absl::Time now) const {
    return now - last_ > std::max(absl::Minutes(10), 10 * interval_);
  }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.last_, self.interval_, self.gaps_, self.gap_);
  }

 private:
  absl::Time last_ = absl::InfinitePast();
  absl::Duration interval_;
  int gaps_ = 0;
  bool gap_ = true;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_CADENCE_H_
