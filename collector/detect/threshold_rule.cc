#include "collector/detect/threshold_rule.h"

#include <algorithm>

namespace forewarn::detect {

ThresholdRule::ThresholdRule(const std::vector<Level>& levels,
                             absl::Duration arm_after_good)
    : levels_(levels),
      arm_after_good_(arm_after_good),
      states_(levels.size()),
      armed_(arm_after_good == absl::ZeroDuration()) {}

bool ThresholdRule::Armed(absl::Time time, double value, bool after_gap) {
  if (armed_) return true;
  const bool good = std::none_of(
      levels_.begin(), levels_.end(),
      [value](const Level& level) { return level.Entered(value); });
  if (!good) {
    good_since_ = absl::InfiniteFuture();
    return false;
  }
  if (after_gap) good_since_ = time;
  good_since_ = std::min(good_since_, time);
  armed_ = time - good_since_ >= arm_after_good_;
  return armed_;
}

void ThresholdRule::ObserveLevel(size_t number, absl::Time time, double value,
                                 Conditions conditions, bool may_open) {
  const Level& level = levels_[number];
  LevelState& state = states_[number];
  if (!state.stands) {
    if (!may_open || !level.Entered(value)) {
      state.pending_since = absl::InfiniteFuture();
      return;
    }
    const std::optional<bool> met = conditions(number);
    if (!met) return;
    if (!*met) {
      state.pending_since = absl::InfiniteFuture();
      return;
    }
    state.pending_since = std::min(state.pending_since, time);
    if (time - state.pending_since < level.hold) return;
    state.stands = true;
    state.since = state.pending_since;
    state.leaving_since = absl::InfiniteFuture();
    return;
  }
  if (!level.Left(value)) {
    const std::optional<bool> met = conditions(number);
    if (!met || *met) {
      state.leaving_since = absl::InfiniteFuture();
      return;
    }
  }
  state.leaving_since = std::min(state.leaving_since, time);
  if (time - state.leaving_since < level.clear_hold) return;
  state.stands = false;
  state.pending_since = absl::InfiniteFuture();
}

const std::optional<ThresholdRule::Verdict>& ThresholdRule::Observe(
    absl::Time time, double value, Conditions conditions, bool may_open,
    bool after_gap) {
  const bool armed = Armed(time, value, after_gap);
  std::optional<size_t> worst;
  for (size_t i = 0; i < levels_.size(); ++i) {
    if (after_gap) states_[i].pending_since = absl::InfiniteFuture();
    ObserveLevel(i, time, value, conditions, may_open && armed);
    if (states_[i].stands &&
        (!worst || levels_[i].urgency < levels_[*worst].urgency)) {
      worst = i;
    }
  }
  if (!worst) {
    verdict_.reset();
  } else if (!verdict_) {
    verdict_ = Verdict{*worst, states_[*worst].since};
  } else {
    verdict_->level = *worst;
  }
  return verdict_;
}

void ThresholdRule::Rearm() {
  armed_ = arm_after_good_ == absl::ZeroDuration();
  good_since_ = absl::InfiniteFuture();
  for (LevelState& state : states_) {
    state.pending_since = absl::InfiniteFuture();
  }
}

}  // namespace forewarn::detect
