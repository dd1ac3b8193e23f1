#include "collector/detect/day_rhythm.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "collector/detect/seconds.h"

namespace forewarn::detect {
namespace {

constexpr int64_t kSlotSeconds = 1800;
constexpr absl::Duration kDay = absl::Hours(24);

int64_t SlotOf(absl::Time time) {
  return absl::ToUnixSeconds(time) / kSlotSeconds;
}

}  // namespace

void DayRhythm::Add(absl::Time time, double value) {
  const int64_t slot = SlotOf(time);
  if (slot != slot_) {
    if (values_.empty()) {
      values_.assign(kSlots, std::numeric_limits<float>::quiet_NaN());
    }
    if (count_ > 0) {
      values_[static_cast<size_t>(slot_) % kSlots] =
          static_cast<float>(sum_ / count_);
    }
    // What a gap has left out is not known.
    const int64_t first = std::max(slot_ + 1, slot - int64_t{kSlots} + 1);
    for (int64_t gap = first; count_ > 0 && gap <= slot; ++gap) {
      values_[static_cast<size_t>(gap) % kSlots] =
          std::numeric_limits<float>::quiet_NaN();
    }
    slot_ = slot;
    sum_ = 0;
    count_ = 0;
  }
  sum_ += value;
  ++count_;
}

std::optional<double> DayRhythm::At(absl::Time time) const {
  const int64_t slot = SlotOf(time);
  if (values_.empty() || slot >= slot_ || slot <= slot_ - int64_t{kSlots}) {
    return std::nullopt;
  }
  const float value = values_[static_cast<size_t>(slot) % kSlots];
  return std::isnan(value) ? std::nullopt : std::optional<double>(value);
}

std::optional<double> DayRhythm::RiseOfYesterday(absl::Time now,
                                                 absl::Duration window) const {
  if (window < absl::Hours(1) || window > absl::Hours(23) || count_ == 0) {
    return std::nullopt;
  }
  const std::optional<double> end = At(now - kDay);
  const std::optional<double> begin = At(now - kDay - window);
  if (!end || !begin) return std::nullopt;
  const double gained = sum_ / count_ - *end;
  return *end - *begin - gained * (SecondsOf(window) / SecondsOf(kDay));
}

}  // namespace forewarn::detect
