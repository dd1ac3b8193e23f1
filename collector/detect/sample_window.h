#ifndef FOREWARN_COLLECTOR_DETECT_SAMPLE_WINDOW_H_
#define FOREWARN_COLLECTOR_DETECT_SAMPLE_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"

namespace forewarn::detect {

// As Signal.function in rules.proto.
enum class WindowFunction {
  kLast,
  kAverage,
  kMin,
  kMax,
  kIncrease,
  kRate,
  kChange,
  kChanges,
};

// What the rule functions need of the last stretch of a series, in the
// samples' own time. Long windows are kept in at most kBuckets buckets, so
// that the far end is exact to a sixtieth of the window.
//
// A counter that falls has been reset: that sample is a new start and no
// increase. Thread-compatible.
class SampleWindow {
 public:
  static constexpr size_t kBuckets = 60;

  explicit SampleWindow(absl::Duration window);

  // `covered`: how long the sample speaks for (Cadence::Observe). Ascending
  // times.
  void Add(absl::Time time, double value, absl::Duration covered);

  // Over (now - window, now]. nullopt while average, min, max and rate have
  // less than nine tenths of the window, or where there is no sample.
  std::optional<double> Value(WindowFunction function, absl::Time now) const;

  absl::Duration window() const { return window_; }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.ring_, self.head_, self.seen_, self.last_);
  }

 private:
  struct Bucket {
    int64_t number = 0;
    int64_t last_ms = 0;
    double before = 0;  // the sample before the bucket's first
    double last = 0;
    double weighted = 0;  // sum of value times covered seconds
    double min = 0;
    double max = 0;
    float covered_seconds = 0;
    float increase = 0;
    uint32_t changes = 0;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.number, self.last_ms, self.before, self.last, self.weighted,
              self.min, self.max, self.covered_seconds, self.increase,
              self.changes);
    }
  };

  const Bucket& bucket(size_t i) const {
    return ring_[(head_ + i) % ring_.size()];
  }

  absl::Duration window_;
  int64_t width_ms_;
  std::vector<Bucket> ring_;
  size_t head_ = 0;
  bool seen_ = false;
  double last_ = 0;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_SAMPLE_WINDOW_H_
