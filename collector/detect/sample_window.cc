#include "collector/detect/sample_window.h"

#include <algorithm>

#include "collector/detect/seconds.h"

namespace forewarn::detect {
namespace {

constexpr double kFilled = 0.9;

}  // namespace

SampleWindow::SampleWindow(absl::Duration window)
    : window_(window),
      width_ms_(std::max<int64_t>(
          absl::ToInt64Milliseconds(window) / int64_t{kBuckets - 1}, 1)) {}

void SampleWindow::Add(absl::Time time, double value, absl::Duration covered) {
  const int64_t ms = absl::ToUnixMillis(time);
  const int64_t number = ms / width_ms_;
  const double before = seen_ ? last_ : value;
  const double seconds = SecondsOf(covered);
  Bucket* open = nullptr;
  if (!ring_.empty()) {
    open = &ring_[(head_ + ring_.size() - 1) % ring_.size()];
    if (open->number != number) open = nullptr;
  }
  if (open == nullptr) {
    Bucket fresh;
    fresh.number = number;
    fresh.before = before;
    fresh.min = fresh.max = value;
    // The oldest place is free once it is out of the window.
    const int64_t oldest = ms - absl::ToInt64Milliseconds(window_);
    if (ring_.empty() ||
        (bucket(0).last_ms > oldest && ring_.size() < kBuckets + 1)) {
      std::rotate(ring_.begin(), ring_.begin() + head_, ring_.end());
      head_ = 0;
      ring_.push_back(fresh);
    } else {
      ring_[head_] = fresh;
      head_ = (head_ + 1) % ring_.size();
    }
    open = &ring_[(head_ + ring_.size() - 1) % ring_.size()];
  }
  open->last_ms = ms;
  open->last = value;
  open->weighted += value * seconds;
  open->covered_seconds += static_cast<float>(seconds);
  open->min = std::min(open->min, value);
  open->max = std::max(open->max, value);
  if (value > before) open->increase += static_cast<float>(value - before);
  if (value != before) ++open->changes;
  last_ = value;
  seen_ = true;
}

std::optional<double> SampleWindow::Value(WindowFunction function,
                                          absl::Time now) const {
  const int64_t from =
      absl::ToUnixMillis(now) - absl::ToInt64Milliseconds(window_);
  double covered = 0, weighted = 0, increase = 0, changes = 0;
  double min = 0, max = 0, before = 0;
  bool any = false;
  for (size_t i = 0; i < ring_.size(); ++i) {
    const Bucket& b = bucket(i);
    if (b.last_ms <= from) continue;
    if (!any) {
      any = true;
      before = b.before;
      min = b.min;
      max = b.max;
    }
    covered += b.covered_seconds;
    weighted += b.weighted;
    increase += b.increase;
    changes += b.changes;
    min = std::min(min, b.min);
    max = std::max(max, b.max);
  }
  if (!any) return std::nullopt;
  switch (function) {
    case WindowFunction::kLast:
      return last_;
    case WindowFunction::kIncrease:
      return increase;
    case WindowFunction::kChange:
      return last_ - before;
    case WindowFunction::kChanges:
      return changes;
    default:
      break;
  }
  if (covered < kFilled * absl::ToDoubleSeconds(window_)) return std::nullopt;
  switch (function) {
    case WindowFunction::kAverage:
      return weighted / covered;
    case WindowFunction::kMin:
      return min;
    case WindowFunction::kMax:
      return max;
    default:  // rate
      return increase / covered;
  }
}

}  // namespace forewarn::detect
