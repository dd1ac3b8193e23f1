#ifndef FOREWARN_COLLECTOR_DETECT_TREND_MEMORY_H_
#define FOREWARN_COLLECTOR_DETECT_TREND_MEMORY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "collector/detect/robust_trend.h"

namespace forewarn::detect {

// A series' past at several resolutions: minutes finely, months coarsely.
// Each level keeps the mean of time and value over buckets of its width.
//
// Memory   at most kLevels * kPoints * 16 bytes, grown on demand.
// Threads  thread-compatible.
class TrendMemory {
 public:
  // 10 s, then five times as wide each: 10 min, 50 min, 4 h, 21 h, 4.3 d,
  // 22 d and 108 d are remembered.
  static constexpr size_t kLevels = 7;
  static constexpr size_t kPoints = 60;

  // Times ascend.
  void Add(absl::Time time, double value);

  // Points of the `window` up to `now`, seconds relative to `now`, oldest
  // first, at most kPoints, at the finest resolution that reaches so far.
  // Returns their number.
  size_t Window(absl::Time now, absl::Duration window,
                std::array<TrendPoint, kMaxTrendPoints>& points) const;

  // How far back it reaches; zero when empty.
  absl::Duration Reach(absl::Time now) const;
  absl::Time first_time() const { return first_time_; }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.levels_, self.first_time_);
  }

 private:
  struct Point {
    double seconds = 0;  // Unix
    double value = 0;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.seconds, self.value);
    }
  };
  struct Level {
    std::vector<Point> ring;  // closed buckets
    size_t head = 0;          // the oldest
    int64_t bucket = INT64_MIN;
    double seconds_sum = 0;
    double value_sum = 0;
    uint32_t count = 0;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.ring, self.head, self.bucket, self.seconds_sum,
              self.value_sum, self.count);
    }
  };

  std::array<Level, kLevels> levels_;
  absl::Time first_time_ = absl::InfiniteFuture();
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_TREND_MEMORY_H_
