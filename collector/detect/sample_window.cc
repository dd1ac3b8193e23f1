#include "collector/detect/sample_window.h"

#include <algorithm>

#include "collector/detect/seconds.h"

namespace forewarn::detect {
namespace {

constexpr double kFilled = 0.9;
constexpr size_t kFirstBuckets = 8;

}  // namespace

SampleWindow::SampleWindow(absl::Duration window)
    : window_ms_(absl::ToInt64Milliseconds(window)),
      width_ms_(std::max<int64_t>(window_ms_ / int64_t{kBuckets - 1}, 1)) {}

void SampleWindow::Need(WindowFunction function) {
  bool& wants =
      function == WindowFunction::kMin || function == WindowFunction::kMax
          ? wants_extremes_
          : wants_changes_;
  if (function == WindowFunction::kLast ||
      function == WindowFunction::kAverage || wants) {
    return;
  }
  wants = true;
  extremes_.resize(wants_extremes_ ? ring_.size() : 0);
  changes_.resize(wants_changes_ ? ring_.size() : 0);
  count_ = 0;
}

bool SampleWindow::Expired(uint32_t last_ms, int64_t now_ms) const {
  const uint32_t age = static_cast<uint32_t>(now_ms) - last_ms;
  return age >= window_ms_;
}

void SampleWindow::Count(size_t place, double sign, Sums& sums) const {
  sums.weighted += sign * ring_[place].weighted;
  sums.covered_seconds += sign * ring_[place].covered_seconds;
  if (wants_changes_) {
    sums.increase += sign * changes_[place].increase;
    sums.changes += sign * changes_[place].count;
  }
}

SampleWindow::Sums SampleWindow::SumUp(size_t first) const {
  Sums sums;
  for (size_t i = first; i < count_; ++i) {
    const size_t place = Place(i);
    Count(place, 1, sums);
    if (!wants_extremes_) continue;
    const Extremes& one = extremes_[place];
    sums.min = i == first ? one.min : std::min(sums.min, one.min);
    sums.max = i == first ? one.max : std::max(sums.max, one.max);
  }
  return sums;
}

void SampleWindow::DropOldest() {
  head_ = static_cast<uint8_t>(Place(1));
  if (--count_ > 0) oldest_ms_ = ring_[head_].last_ms;
}

void SampleWindow::Forget(int64_t now_ms) {
  // Ages are known modulo 49 days: after a pause nothing is left anyway.
  if (count_ > 0 && now_ms - last_ms_ >= window_ms_) count_ = 0;
  bool lost_extreme = false;
  while (count_ > 0 && Expired(oldest_ms_, now_ms)) {
    Count(head_, -1, sums_);
    if (wants_extremes_) {
      const Extremes& oldest = extremes_[head_];
      lost_extreme =
          lost_extreme || oldest.min <= sums_.min || oldest.max >= sums_.max;
    }
    DropOldest();
  }
  // Rounding does not pile up: once around, all is summed anew.
  if (lost_extreme || pushed_ > kBuckets || count_ == 0) {
    sums_ = SumUp(0);
    pushed_ = 0;
  }
}

void SampleWindow::Grow() {
  const auto turn = [this](auto& ring) {
    std::rotate(ring.begin(), ring.begin() + head_, ring.end());
  };
  const size_t size = std::clamp(2 * ring_.size(), kFirstBuckets, kBuckets + 1);
  turn(ring_);
  ring_.resize(size);
  if (wants_extremes_) {
    turn(extremes_);
    extremes_.resize(size);
  }
  if (wants_changes_) {
    turn(changes_);
    changes_.resize(size);
  }
  head_ = 0;
}

void SampleWindow::Push(double value, double before) {
  if (count_ == ring_.size()) {
    if (ring_.size() <= kBuckets) {
      Grow();
    } else {
      // More would not be in the window.
      DropOldest();
      sums_ = SumUp(0);
    }
  }
  const size_t place = Place(count_);
  ++count_;
  ++pushed_;
  ring_[place] = Bucket();
  if (wants_extremes_) extremes_[place] = {value, value};
  if (wants_changes_) changes_[place] = {before, 0, 0};
  if (count_ == 1) sums_.min = sums_.max = value;
}

void SampleWindow::Add(absl::Time time, double value, absl::Duration covered) {
  const int64_t ms = absl::ToUnixMillis(time);
  const int64_t number = ms / width_ms_;
  const double before = last_ms_ == INT64_MIN ? value : last_;
  const double seconds = SecondsOf(covered);
  Forget(ms);
  if (count_ == 0 || number != open_) {
    Push(value, before);
    open_ = number;
  }
  const size_t place = Place(count_ - 1u);
  Bucket& open = ring_[place];
  open.weighted += value * seconds;
  open.covered_seconds += static_cast<float>(seconds);
  open.last_ms = static_cast<uint32_t>(ms);
  sums_.weighted += value * seconds;
  sums_.covered_seconds += static_cast<float>(seconds);
  if (count_ == 1) oldest_ms_ = open.last_ms;
  if (wants_extremes_) {
    Extremes& extremes = extremes_[place];
    extremes.min = std::min(extremes.min, value);
    extremes.max = std::max(extremes.max, value);
    sums_.min = std::min(sums_.min, value);
    sums_.max = std::max(sums_.max, value);
  }
  if (wants_changes_ && value != before) {
    Changes& changes = changes_[place];
    const auto increase = static_cast<float>(std::max(0.0, value - before));
    changes.increase += increase;
    ++changes.count;
    sums_.increase += increase;
    ++sums_.changes;
  }
  last_ = value;
  last_ms_ = ms;
}

std::optional<double> SampleWindow::Value(WindowFunction function,
                                          absl::Time now) const {
  const int64_t ms = absl::ToUnixMillis(now);
  if (count_ == 0 || ms - last_ms_ >= window_ms_) return std::nullopt;
  size_t first = 0;
  const bool all = !Expired(oldest_ms_, ms);
  if (!all) {
    // Asked later than the last sample: some of it is no longer in.
    while (Expired(ring_[Place(first)].last_ms, ms)) ++first;
  }
  const double before = function == WindowFunction::kChange && wants_changes_
                            ? changes_[Place(first)].before
                            : 0;
  return all ? Of(function, sums_, before) : Of(function, SumUp(first), before);
}

std::optional<double> SampleWindow::Of(WindowFunction function,
                                       const Sums& sums, double before) const {
  switch (function) {
    case WindowFunction::kLast:
      return last_;
    case WindowFunction::kIncrease:
      return sums.increase;
    case WindowFunction::kChange:
      return last_ - before;
    case WindowFunction::kChanges:
      return sums.changes;
    default:
      break;
  }
  if (sums.covered_seconds < kFilled * static_cast<double>(window_ms_) / 1000) {
    return std::nullopt;
  }
  switch (function) {
    case WindowFunction::kAverage:
      return sums.weighted / sums.covered_seconds;
    case WindowFunction::kMin:
      return sums.min;
    case WindowFunction::kMax:
      return sums.max;
    default:  // rate
      return sums.increase / sums.covered_seconds;
  }
}

}  // namespace forewarn::detect
