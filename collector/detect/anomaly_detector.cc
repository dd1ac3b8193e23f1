#include "collector/detect/anomaly_detector.h"

#include <algorithm>
#include <cmath>

#include "collector/detect/seconds.h"

namespace forewarn::detect {
namespace {

// Chosen on labelled series of machines and services, and on noise of known
// shapes; results move little when they are doubled or halved.
constexpr double kQuickRate = 1.0 / 10;
constexpr double kHalfHourRate = 1.0 / 30;
constexpr double kMiddleRate = 1.0 / 60;
constexpr double kSlowRate = 1.0 / 3000;
constexpr double kSpreadRate = 1.0 / 2000;
constexpr double kMovesRate = 1.0 / 20;
constexpr double kUsualMovesRate = 1.0 / 1500;
constexpr double kRangeRate = 1.0 / 20000;
constexpr double kHourRate = 1.0 / 50;
constexpr TailModel::Prior kViewPrior = {3, 20};
constexpr TailModel::Prior kTogetherPrior = {4, 60};
// Where one view begins to count.
constexpr double kCounts = 1;
// So odd that it belongs to an event.
constexpr double kEvent = 1.7;
// A surprise is at most so many tenfolds beyond what was seen.
constexpr double kBeyondSeen = 1.5;
// How surprises of views become distances of their own model.
constexpr double kOctavesOfSurprise = 0.83;
// One step teaches a level at most so many spreads, and a spread eight.
constexpr double kClip = 4;
constexpr double kSpreadClip = 8;
// Differences under this share of the range, or of the level, mean nothing.
constexpr double kRangeFloor = 0.002;
constexpr double kLevelFloor = 1e-6;
constexpr double kUnrestFloor = 0.05;
// What is judged at once.
constexpr absl::Duration kGather = absl::Seconds(55);
constexpr uint16_t kViewWarmUp = 100;
constexpr uint16_t kSettled = 10000;
constexpr uint32_t kFirst = 20;
// A new level is the new normal after so long and so many.
constexpr absl::Duration kNewNormalAfter = absl::Hours(1);
constexpr uint32_t kNewNormalMinutes = 60;
// A pause of so many steps, and so long, is no jump.
constexpr double kPauseSteps = 6;
constexpr double kPauseSeconds = 1800;
// Beyond it numbers are as good as infinite.
constexpr double kHuge = 1e37;

// A mean at first, later a level that follows.
double Rate(double rate, double n) { return std::max(rate, 1 / (n + 1)); }

}  // namespace

absl::string_view ViewName(AnomalyDetector::View view) {
  switch (view) {
    case AnomalyDetector::View::kJump:
    case AnomalyDetector::View::kQuickLevel:
    case AnomalyDetector::View::kHalfHour:
      return "jump";
    case AnomalyDetector::View::kSlowLevel:
      return "level";
    case AnomalyDetector::View::kHour:
      return "hour";
    case AnomalyDetector::View::kShift:
      return "shift";
    case AnomalyDetector::View::kUnrest:
      return "unrest";
  }
  return "level";
}

AnomalyDetector::AnomalyDetector(wire::MetricKind kind, uint32_t digits)
    : kind_(kind),
      resolution_(
          digits > 9 || kind == wire::MetricKind::kCounter
              ? 0
              : static_cast<float>(0.5 * std::pow(10, -double(digits)))) {}

double AnomalyDetector::score() const {
  return std::clamp(surprise_ / 10.0, 0.0, 1.0);
}

double AnomalyDetector::Floor() const {
  return std::max({double{resolution_}, kRangeFloor * (high_ - low_),
                   kLevelFloor * std::abs(slow_), 1e-12});
}

AnomalyDetector::Hour AnomalyDetector::HourOf(absl::Time time) {
  // Straight between the middles of hours.
  constexpr int64_t kDay = 86400;
  const int64_t second = (absl::ToUnixSeconds(time) % kDay + kDay) % kDay;
  const double hours = static_cast<double>(second) / 3600;
  const auto near = static_cast<size_t>(hours);
  const double off = hours - static_cast<double>(near) - 0.5;
  return {near, (near + (off < 0 ? kHours - 1 : 1)) % kHours, std::abs(off)};
}

bool AnomalyDetector::Observe(absl::Time time, double value) {
  value = std::clamp(value, -kHuge, kHuge);
  if (kind_ == wire::MetricKind::kCounter) {
    const double before = last_;
    const double seconds = SecondsOf(time - last_time_);
    const bool usable = counted_ && value >= before && seconds > 0;
    counted_ = true;
    last_ = value;
    last_time_ = time;
    if (!usable) return false;
    value = (value - before) / seconds;
  }
  gathered_ += value;
  ++gathered_count_;
  if (time - judged_at_ < kGather) return false;
  value = gathered_ / gathered_count_;
  gathered_ = 0;
  gathered_count_ = 0;
  Judge(time, value);
  return true;
}

// -log10 of how often this view is as far off.
double AnomalyDetector::Look(View view, double distance, double floor) {
  Lens& lens = views_[static_cast<size_t>(view)];
  const double size = std::abs(distance);
  const double unit = std::max<double>(lens.spread, floor);
  const double far = size / unit;
  const double surprise = lens.seen < kViewWarmUp ? 0 : lens.tail.Surprise(far);
  const bool first = lens.seen < kFirst;
  if (!first) lens.tail.Learn(far, surprise > kEvent, kViewPrior);
  const double taught = first ? size : std::min(size, kSpreadClip * unit);
  lens.spread +=
      static_cast<float>(Rate(kSpreadRate, lens.seen) * (taught - lens.spread));
  if (lens.seen < kSettled) ++lens.seen;
  return surprise;
}

void AnomalyDetector::Judge(absl::Time time, double value) {
  const double before = seen_ == 0 ? value : value_;
  if (seen_ == 0) {
    quick_ = half_hour_ = middle_ = slow_ = low_ = high_ = value;
  } else {
    const double seconds = SecondsOf(time - judged_at_);
    if (seconds > kPauseSteps * step_ && seconds > kPauseSeconds) {
      quick_ = half_hour_ = middle_ = value_ = value;
    } else {
      step_ += static_cast<float>(0.2 * (seconds - step_));
    }
  }
  judged_at_ = time;
  const double range = high_ - low_;
  low_ = std::min(value, low_ + kRangeRate * range);
  high_ = std::max(value, high_ - kRangeRate * range);
  const double floor = Floor();
  const Hour hour = HourOf(time);
  const double move = seen_ == 0 ? 0 : std::abs(value - value_);

  std::array<double, kViews> surprises{};
  const auto look = [&](View view, double distance, double unit) {
    surprises[static_cast<size_t>(view)] = Look(view, distance, unit);
  };
  look(View::kQuickLevel, value - quick_, floor);
  look(View::kHalfHour, value - half_hour_, floor);
  look(View::kSlowLevel, value - slow_, floor);
  look(View::kJump, move, floor);
  double seasonal = slow_;
  if (minutes_[hour.near] > 0 && minutes_[hour.next] > 0) {
    seasonal =
        hours_[hour.near] * (1 - hour.share) + hours_[hour.next] * hour.share;
    look(View::kHour, value - seasonal, floor);
  }
  middle_ += Rate(kMiddleRate, seen_) * (value - middle_);
  half_hour_ += Rate(kHalfHourRate, seen_) * (value - half_hour_);
  quick_ += Rate(kQuickRate, seen_) * (value - quick_);
  look(View::kShift, quick_ - middle_, floor);
  moves_ += Rate(kMovesRate, seen_) * (move - moves_);
  usual_moves_ += Rate(kUsualMovesRate, seen_) * (move - usual_moves_);
  look(View::kUnrest, std::log((moves_ + floor) / (usual_moves_ + floor)),
       kUnrestFloor);

  double sum = 0;
  for (const double one : surprises) sum += std::max(0.0, one - kCounts);
  const double far = std::exp2(std::min(kOctavesOfSurprise * sum, 99.0));
  const double surprise = seen_ < kWarmUp ? 0 : together_.Surprise(far);
  if (seen_ > kFirst) {
    together_.Learn(far, surprise > kEvent, kTogetherPrior);
  }
  // Nobody can know of what is so much rarer than all that was seen.
  surprise_ = static_cast<float>(
      std::min(surprise, std::log10(seen_ + 1.0) + kBeyondSeen));
  outcry_ = seen_ < kWarmUp ? 0 : static_cast<float>(sum);
  value_ = value;
  if (sum > 0) {
    view_ = static_cast<View>(
        std::max_element(surprises.begin(), surprises.end()) -
        surprises.begin());
    SetExpected(before, seasonal);
  }
  Learn(time, value, floor, hour);
}

// For people: around what, and how far from it, would have been no news.
void AnomalyDetector::SetExpected(double before, double seasonal) {
  switch (view_) {
    case View::kQuickLevel:
    case View::kHalfHour:
    case View::kJump:
      expected_ = before;
      break;
    case View::kHour:
      expected_ = seasonal;
      break;
    case View::kShift:
      expected_ = middle_;
      break;
    case View::kSlowLevel:
    case View::kUnrest:
      expected_ = slow_;
      break;
  }
  // Unrest has no unit of the value's.
  const View sized = view_ == View::kUnrest ? View::kSlowLevel : view_;
  const Lens& range = views_[static_cast<size_t>(sized)];
  band_ =
      std::max<double>(range.spread, Floor()) * range.tail.DistanceOf(kEvent);
}

void AnomalyDetector::Learn(absl::Time time, double value, double floor,
                            const Hour& hour) {
  const double unit = std::max<double>(
      views_[static_cast<size_t>(View::kSlowLevel)].spread, floor);
  AcceptNewNormal(time, value, unit);
  // One minute teaches little, so that a spike moves nothing.
  const double off = value - slow_;
  slow_ +=
      Rate(kSlowRate, seen_) *
      (seen_ < kFirst ? off : std::clamp(off, -kClip * unit, kClip * unit));
  uint8_t& minutes = minutes_[hour.near];
  if (minutes < UINT8_MAX) ++minutes;
  hours_[hour.near] += static_cast<float>(std::max(kHourRate, 1.0 / minutes) *
                                          (value - hours_[hour.near]));
  if (seen_ < UINT32_MAX) ++seen_;
}

void AnomalyDetector::AcceptNewNormal(absl::Time time, double value,
                                      double unit) {
  const bool high = value > slow_;
  if (std::abs(value - slow_) <= kClip * unit) {
    away_ = 0;
    return;
  }
  if (away_ > 0 && high != away_high_) away_ = 0;
  if (away_ == 0) away_since_ = time;
  away_high_ = high;
  ++away_;
  if (away_ < kNewNormalMinutes || time - away_since_ < kNewNormalAfter) {
    return;
  }
  // The day goes on as it does, at another level.
  const auto step = static_cast<float>(middle_ - slow_);
  for (float& mean : hours_) mean += step;
  slow_ = middle_;
  away_ = 0;
}

}  // namespace forewarn::detect
