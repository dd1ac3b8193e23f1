#include "collector/detect/rise_history.h"

#include <algorithm>
#include <cmath>

namespace forewarn::detect {
namespace {

// Chosen: a fall by so much of the rise ends it.
constexpr double kTurn = 0.3;
// Movements under this share of the room to the limit are no rises.
constexpr double kSmallShare = 0.1;
constexpr double kNoiseTurns = 4;
// A rise is like an earlier one when its slope is within these factors and it
// has gone at most so much higher.
constexpr double kSlowest = 0.3;
constexpr double kFastest = 2.0;
constexpr double kHigher = 0.1;
// A rise that came so near to the limit is no precedent for safety.
constexpr double kRoomLeft = 0.1;
constexpr absl::Duration kForgetAfter = absl::Hours(24 * 40);

bool Alike(double a, double b, double factor) {
  return a <= factor * b && b <= factor * a;
}

bool InRange(double slope, double known) {
  return slope >= kSlowest * known && slope <= kFastest * known;
}

}  // namespace

void RiseHistory::Remember(const Rise& rise) {
  Rise* place = nullptr;
  for (size_t i = 0; i < count_; ++i) {
    Rise& known = rises_[i];
    if (Alike(known.slope, rise.slope, 1.5) &&
        Alike(known.peak - known.trough, rise.peak - rise.trough, 1.5)) {
      place = &known;
      break;
    }
    // Else in place of an outdated one, or of the lowest.
    if (place == nullptr ||
        (place->end >= rise.end - kForgetAfter &&
         (known.end < rise.end - kForgetAfter ||
          known.peak - known.trough < place->peak - place->trough))) {
      place = &known;
    }
  }
  const bool alike =
      place != nullptr && Alike(place->slope, rise.slope, 1.5) &&
      Alike(place->peak - place->trough, rise.peak - rise.trough, 1.5);
  if (!alike && count_ < kRises) place = &rises_[count_++];
  *place = rise;
}

void RiseHistory::StartRise(absl::Time time, double value) {
  trough_ = peak_ = value;
  trough_time_ = peak_time_ = time;
  below_.fill(time);
  step_ = 0;
}

void RiseHistory::Climb(absl::Time time, double value) {
  if (value > peak_) {
    if (value > peak_ + 0.02 * (peak_ - trough_)) peak_time_ = time;
    peak_ = value;
    if (step_ <= 0) step_ = (peak_ - trough_) / kSteps;
    while (peak_ - trough_ > step_ * kSteps) {
      for (size_t i = 0; i < kSteps / 2; ++i) below_[i] = below_[2 * i + 1];
      std::fill(below_.begin() + kSteps / 2, below_.end(), time);
      step_ *= 2;
    }
  }
  if (step_ <= 0) return;
  const auto lowest = static_cast<size_t>(
      std::max(0.0, std::ceil((value - trough_) / step_) - 1));
  for (size_t i = lowest; i < kSteps; ++i) below_[i] = time;
}

// Per second until `end`; 0 where there is none to speak of.
double RiseHistory::SlopeSinceFoot(absl::Time end) const {
  const double height = peak_ - trough_;
  if (step_ <= 0 || height <= 0) return 0;
  // From a fifth of the way up: the foot is often rounded.
  const auto foot = static_cast<size_t>(
      std::clamp(std::floor(0.2 * height / step_) - 1, 0.0, kSteps - 1.0));
  const double foot_height = static_cast<double>(foot + 1) * step_;
  const double seconds = absl::ToDoubleSeconds(end - below_[foot]);
  if (seconds <= 0 || foot_height >= height) return 0;
  return (height - foot_height) / seconds;
}

void RiseHistory::EndRise() {
  const double slope = SlopeSinceFoot(peak_time_);
  if (slope > 0) Remember({trough_, peak_, slope, peak_time_});
}

void RiseHistory::EndFall() {
  const double seconds = absl::ToDoubleSeconds(trough_time_ - top_time_);
  if (seconds <= 0 || top_ <= trough_) return;
  Remember({trough_, top_, (top_ - trough_) / seconds, trough_time_});
}

void RiseHistory::Add(absl::Time time, double value, double limit) {
  if (!started_) {
    started_ = true;
    last_ = value;
    StartRise(time, value);
    return;
  }
  const double room = std::abs(limit - value);
  // Clipped: a jump is no noise.
  noise_ +=
      0.02 *
      (std::min(std::abs(value - last_), noise_ * 5 + room * 1e-3) - noise_);
  last_ = value;
  const double small =
      std::max(kSmallShare * std::max(room, std::abs(limit - peak_)),
               kNoiseTurns * noise_);
  if (rising_) {
    if (value < peak_ - std::max(kTurn * (peak_ - trough_), small)) {
      if (peak_ - trough_ > small) EndRise();
      rising_ = false;
      top_ = peak_;
      top_time_ = peak_time_;
      StartRise(time, value);
    } else if (value < trough_) {
      StartRise(time, value);
    } else {
      Climb(time, value);
    }
  } else if (value <= trough_) {
    // Falling: the next rise starts from the lowest point.
    StartRise(time, value);
  } else {
    Climb(time, value);
    if (peak_ > trough_ + small) {
      EndFall();
      rising_ = true;
    }
  }
}

bool RiseHistory::HasPrecedent(double value, double slope, double limit) const {
  const double own = rising_ ? SlopeSinceFoot(peak_time_) : 0;
  for (size_t i = 0; i < count_; ++i) {
    const Rise& rise = rises_[i];
    const double height = rise.peak - rise.trough;
    if (limit - rise.peak < kRoomLeft * (limit - rise.trough)) continue;
    if (!InRange(slope, rise.slope) && !InRange(own, rise.slope)) continue;
    if (value > rise.peak + kHigher * height) continue;
    return true;
  }
  return false;
}

}  // namespace forewarn::detect
