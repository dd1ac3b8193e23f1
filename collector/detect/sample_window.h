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
//
// Cost     a sample and a value some nanoseconds, whatever the window: sums
//          are kept as buckets come and go. 16 bytes a bucket for the average,
//          as much again for extremes, and for changes.
class SampleWindow {
 public:
  static constexpr size_t kBuckets = 60;

  explicit SampleWindow(absl::Duration window);

  // The function will be asked for. A window that has samples and did not know
  // begins anew.
  void Need(WindowFunction function);

  // `covered`: how long the sample speaks for (Cadence::Observe). Ascending
  // times.
  void Add(absl::Time time, double value, absl::Duration covered);

  // Over (now - window, now]. nullopt while average, min, max and rate have
  // less than nine tenths of the window, or where there is no sample.
  std::optional<double> Value(WindowFunction function, absl::Time now) const;

  absl::Duration window() const { return absl::Milliseconds(window_ms_); }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.ring_, self.extremes_, self.changes_, self.head_, self.count_,
            self.pushed_, self.oldest_ms_, self.open_, self.last_ms_,
            self.last_, self.sums_);
  }

 private:
  struct Bucket {
    double weighted = 0;  // sum of value times covered seconds
    float covered_seconds = 0;
    uint32_t last_ms = 0;  // of its last sample, modulo 2^32

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.weighted, self.covered_seconds, self.last_ms);
    }
  };
  struct Extremes {
    double min = 0;
    double max = 0;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.min, self.max);
    }
  };
  struct Changes {
    double before = 0;  // the sample before the bucket's first
    float increase = 0;
    uint32_t count = 0;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.before, self.increase, self.count);
    }
  };
  // Of all buckets.
  struct Sums {
    double weighted = 0;
    double covered_seconds = 0;
    double increase = 0;
    double changes = 0;
    double min = 0;
    double max = 0;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.weighted, self.covered_seconds, self.increase, self.changes,
              self.min, self.max);
    }
  };

  // Of the i-th oldest bucket.
  size_t Place(size_t i) const {
    i += head_;
    return i < ring_.size() ? i : i - ring_.size();
  }
  bool Expired(uint32_t last_ms, int64_t now_ms) const;
  void Forget(int64_t now_ms);
  void DropOldest();
  void Grow();
  void Push(double value, double before);
  void Count(size_t place, double sign, Sums& sums) const;
  Sums SumUp(size_t first) const;
  std::optional<double> Of(WindowFunction function, const Sums& sums,
                           double before) const;

  int64_t window_ms_;
  int64_t width_ms_;
  bool wants_extremes_ = false;
  bool wants_changes_ = false;
  std::vector<Bucket> ring_;
  std::vector<Extremes> extremes_;  // beside it, or empty
  std::vector<Changes> changes_;    // beside it, or empty
  uint8_t head_ = 0;
  uint8_t count_ = 0;
  uint8_t pushed_ = 0;        // since the sums were made anew
  uint32_t oldest_ms_ = 0;    // last_ms of the oldest bucket
  int64_t open_ = INT64_MIN;  // the newest bucket's number
  int64_t last_ms_ = INT64_MIN;
  double last_ = 0;
  Sums sums_;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_SAMPLE_WINDOW_H_
