#ifndef FOREWARN_COLLECTOR_DETECT_RISE_HISTORY_H_
#define FOREWARN_COLLECTOR_DETECT_RISE_HISTORY_H_

#include <array>
#include <cstddef>

#include "absl/time/time.h"

namespace forewarn::detect {

// How earlier rises of a series ended: a log that is rotated, a backup that
// is removed, a warm afternoon. A rise like one that ended by itself, or like
// a fall from where it goes, is no news until it goes beyond.
//
// Threads  thread-compatible.
class RiseHistory {
 public:
  // What moves by less than a tenth of the room to the limit is no rise.
  void Add(absl::Time time, double value, double limit);

  // True if a rise of `slope` (per second) at `value`, or the one that goes on
  // since its own foot, is like an earlier one that turned back with room left
  // before `limit`.
  bool HasPrecedent(double value, double slope, double limit) const;

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.rises_, self.count_, self.started_, self.rising_, self.trough_,
            self.peak_, self.noise_, self.last_, self.peak_time_, self.top_,
            self.top_time_, self.trough_time_, self.below_, self.step_);
  }

 private:
  struct Rise {
    double trough = 0;
    double peak = 0;
    double slope = 0;
    absl::Time end;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.trough, self.peak, self.slope, self.end);
    }
  };
  // Distinct ones; those alike are kept as one.
  static constexpr size_t kRises = 8;
  static constexpr size_t kSteps = 16;

  void Remember(const Rise& rise);
  void StartRise(absl::Time time, double value);
  void Climb(absl::Time time, double value);
  void EndRise();
  void EndFall();
  double SlopeSinceFoot(absl::Time end) const;

  std::array<Rise, kRises> rises_;  // falls among them
  size_t count_ = 0;

  bool started_ = false;
  bool rising_ = true;
  double trough_ = 0;
  double peak_ = 0;
  double noise_ = 0;
  double last_ = 0;
  absl::Time peak_time_;
  double top_ = 0;  // where the present fall began
  absl::Time top_time_;
  absl::Time trough_time_;
  // When the rise was last below trough_ + (i + 1) * step_: where it really
  // began, however long it was flat before.
  std::array<absl::Time, kSteps> below_;
  double step_ = 0;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_RISE_HISTORY_H_
