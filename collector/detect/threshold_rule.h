#ifndef FOREWARN_COLLECTOR_DETECT_THRESHOLD_RULE_H_
#define FOREWARN_COLLECTOR_DETECT_THRESHOLD_RULE_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace forewarn::detect {

// Levels with hysteresis on one value: each is entered beyond a threshold
// after a hold, and left at another after another hold. The most urgent level
// that stands is the verdict.
//
// Threads  thread-compatible.
class ThresholdRule {
 public:
  struct Level {
    std::optional<double> above;  // exactly one of the two
    std::optional<double> below;
    double clear = 0;
    absl::Duration hold;
    absl::Duration clear_hold;
    int urgency = 0;  // less is more urgent

    bool Entered(double value) const {
      return above ? value > *above : value < *below;
    }
    bool Left(double value) const {
      return above ? value <= clear : value >= clear;
    }
    double threshold() const { return above ? *above : *below; }
  };

  struct Verdict {
    size_t level = 0;
    absl::Time since;  // when the condition began

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.level, self.since);
    }
  };

  // Whether the further conditions of a level hold; nullopt: not known, then
  // nothing is entered and nothing left.
  using Conditions = absl::FunctionRef<std::optional<bool>(size_t level)>;

  // `levels` must outlive it. With `arm_after_good` it stays silent until the
  // value was on the good side for so long.
  ThresholdRule(const std::vector<Level>& levels,
                absl::Duration arm_after_good);

  // `may_open`: false keeps new levels from being entered. `after_gap`: the
  // time since the value before proves nothing.
  const std::optional<Verdict>& Observe(absl::Time time, double value,
                                        Conditions conditions, bool may_open,
                                        bool after_gap);

  // The machine was started anew: what was seen before no longer counts.
  void Rearm();

  const std::optional<Verdict>& verdict() const { return verdict_; }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.verdict_, self.armed_, self.good_since_);
    archive.InPlace(self.states_);
  }

 private:
  struct LevelState {
    absl::Time pending_since = absl::InfiniteFuture();
    absl::Time leaving_since = absl::InfiniteFuture();
    absl::Time since;
    bool stands = false;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.pending_since, self.leaving_since, self.since, self.stands);
    }
  };

  bool Armed(absl::Time time, double value, bool after_gap);
  void ObserveLevel(size_t number, absl::Time time, double value,
                    Conditions conditions, bool may_open);

  const std::vector<Level>& levels_;
  absl::Duration arm_after_good_;
  std::vector<LevelState> states_;
  std::optional<Verdict> verdict_;
  bool armed_;
  absl::Time good_since_ = absl::InfiniteFuture();
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_THRESHOLD_RULE_H_
