#include "collector/detect/sample_window.h"

#include <algorithm>

#include "collector/detect/seconds.h"

namespace forewarn::detect {
namespace {

constexpr double kFilled = 0.9;
constexpr size_t kFirstBuckets = 8;

}  // namespace

void SampleWindow::Sums::Count(const Bucket& bucket, double sign) {
  weighted += sign * bucket.weighted;
  covered_seconds += sign * bucket.covered_seconds;
  increase += sign * bucket.increase;
  changes += sign * bucket.changes;
}

SampleWindow::SampleWindow(absl::Duration window)
    : window_ms_(absl::ToInt64Milliseconds(window)),
      width_ms_(std::max<int64_t>(window_ms_ / int64_t{kBuckets - 1}, 1)) {}

bool SampleWindow::Expired(uint32_t last_ms, int64_t now_ms) const {
  const uint32_t age = static_cast<uint32_t>(now_ms) - last_ms;
  return age >= window_ms_;
}

SampleWindow::Sums SampleWindow::SumUp(size_t first) const {
  Sums sums;
  for (size_t i = first; i < count_; ++i) {
    const Bucket& one = bucket(i);
    sums.Count(one, 1);
    sums.min = i == first ? one.min : std::min(sums.min, one.min);
    sums.max = i == first ? one.max : std::max(sums.max, one.max);
  }
  return sums;
}

void SampleWindow::Forget(int64_t now_ms) {
  // Ages are known modulo 49 days: after a pause nothing is left anyway.
  if (count_ > 0 && now_ms - last_ms_ >= window_ms_) count_ = 0;
  bool lost_extreme = false;
  while (count_ > 0 && Expired(oldest_ms_, now_ms)) {
    const Bucket& oldest = bucket(0);
    sums_.Count(oldest, -1);
    lost_extreme =
        lost_extreme || oldest.min <= sums_.min || oldest.max >= sums_.max;
    head_ = static_cast<uint8_t>(head_ + 1u < ring_.size() ? head_ + 1 : 0);
    if (--count_ > 0) oldest_ms_ = bucket(0).last_ms;
  }
  // Rounding does not pile up: once around, all is summed anew.
  if (lost_extreme || pushed_ > kBuckets || count_ == 0) {
    sums_ = SumUp(0);
    pushed_ = 0;
  }
}

SampleWindow::Bucket& SampleWindow::Newest() {
  const size_t place = size_t{head_} + count_ - 1;
  return ring_[place < ring_.size() ? place : place - ring_.size()];
}

SampleWindow::Bucket& SampleWindow::Push() {
  if (count_ == ring_.size()) {
    if (ring_.size() <= kBuckets) {
      std::rotate(ring_.begin(), ring_.begin() + head_, ring_.end());
      head_ = 0;
      ring_.resize(std::clamp(2 * ring_.size(), kFirstBuckets, kBuckets + 1));
    } else {
      // More would not be in the window.
      head_ = static_cast<uint8_t>(head_ + 1u < ring_.size() ? head_ + 1 : 0);
      --count_;
      oldest_ms_ = bucket(0).last_ms;
      sums_ = SumUp(0);
    }
  }
  ++count_;
  ++pushed_;
  Bucket& fresh = Newest();
  fresh = Bucket();
  return fresh;
}

void SampleWindow::Add(absl::Time time, double value, absl::Duration covered) {
  const int64_t ms = absl::ToUnixMillis(time);
  const int64_t number = ms / width_ms_;
  const double before = last_ms_ == INT64_MIN ? value : last_;
  const auto seconds = static_cast<float>(SecondsOf(covered));
  Forget(ms);
  Bucket* open = nullptr;
  if (count_ == 0 || number != open_) {
    open = &Push();
    open_ = number;
    open->before = before;
    open->min = open->max = value;
    if (count_ == 1) sums_.min = sums_.max = value;
  } else {
    open = &Newest();
  }
  Bucket sample;
  sample.weighted = value * SecondsOf(covered);
  sample.covered_seconds = seconds;
  if (value > before) sample.increase = static_cast<float>(value - before);
  sample.changes = value != before ? 1 : 0;
  sums_.Count(sample, 1);
  open->last_ms = static_cast<uint32_t>(ms);
  if (count_ == 1) oldest_ms_ = open->last_ms;
  open->weighted += sample.weighted;
  open->covered_seconds += sample.covered_seconds;
  open->increase += sample.increase;
  open->changes += sample.changes;
  open->min = std::min(open->min, value);
  open->max = std::max(open->max, value);
  sums_.min = std::min(sums_.min, value);
  sums_.max = std::max(sums_.max, value);
  last_ = value;
  last_ms_ = ms;
}

std::optional<double> SampleWindow::Value(WindowFunction function,
                                          absl::Time now) const {
  const int64_t ms = absl::ToUnixMillis(now);
  if (count_ == 0 || ms - last_ms_ >= window_ms_) return std::nullopt;
  if (!Expired(oldest_ms_, ms))
    return Of(function, sums_,
              function == WindowFunction::kChange ? bucket(0).before : 0);
  // Asked later than the last sample: some of it is no longer in.
  size_t first = 0;
  while (Expired(bucket(first).last_ms, ms)) ++first;
  return Of(function, SumUp(first), bucket(first).before);
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
