#include "collector/detect/anomaly_detector.h"

#include <algorithm>
#include <cmath>

#include "collector/detect/seconds.h"

namespace forewarn::detect {
namespace {

// Chosen, tried on Gaussian, Laplace, log-normal, autocorrelated and
// two-valued noise and on daily rhythms.
constexpr double kSlowRate = 1.0 / 512;
constexpr double kQuickRate = 1.0 / 24;
constexpr double kClip = 4;  // spreads; what is farther counts as that far
constexpr double kTailShare = 0.02;
constexpr double kQuantileRate = 0.05;
constexpr double kTailRate = 0.03;
// After so many samples out there in a row the rest count as little as this.
constexpr uint32_t kRun = 4;
constexpr double kLateWeight = 1.0 / 32;
constexpr double kMinQuantile = 1.5, kMaxQuantile = 200;
constexpr double kMinTail = 0.1, kMaxTail = 1.5;
// Differences under this share of the level mean nothing.
constexpr double kRelativeFloor = 1e-4;
// Counts are halved here, so that old habits fade.
constexpr float kMaxCount = 20000;
// A new level is the new normal after so long and so many samples.
constexpr absl::Duration kNewNormalAfter = absl::Hours(1);
constexpr uint32_t kNewNormalSamples = 60;

double ScoreOf(double probability) {
  return std::clamp(-std::log10(std::max(probability, 1e-12)) / 10, 0.0, 1.0);
}

}  // namespace

double AnomalyDetector::Level::Distance(double value, double floor) const {
  return std::abs(value - mean) / std::max(spread, floor);
}

double AnomalyDetector::Level::Probability(double distance) const {
  if (distance <= quantile) {
    return 1 - (1 - kTailShare) * distance / quantile;
  }
  return kTailShare * std::pow(distance / quantile, -1 / tail);
}

void AnomalyDetector::Level::Learn(double value, double floor, double rate) {
  const double unit = std::max(spread, floor);
  const double step = (value - mean) / unit;
  const double distance = std::abs(step);
  // One sample teaches little: farther than kClip counts as that far, so that
  // a spike moves nothing and a step is followed within some hundred samples.
  mean += rate * unit * std::clamp(step, -kClip, kClip);
  spread = unit + rate * unit * (std::min(distance, kClip) - 1);
  if (distance > quantile) {
    // A long stay out there is one event, not many: it says little about how
    // often such events occur.
    const double weight = ++run <= kRun ? 1 : kLateWeight;
    tail += weight * kTailRate *
            (std::min(std::log(distance / quantile), 2.0) - tail);
    tail = std::clamp(tail, kMinTail, kMaxTail);
    quantile *= 1 + weight * kQuantileRate * (1 - kTailShare);
  } else {
    run = 0;
    quantile *= 1 - kQuantileRate * kTailShare;
  }
  quantile = std::clamp(quantile, kMinQuantile, kMaxQuantile);
}

AnomalyDetector::AnomalyDetector(wire::MetricKind kind, uint32_t digits)
    : kind_(kind),
      resolution_(digits > 9 ? 0 : 0.5 * std::pow(10, -double(digits))) {
  if (kind == wire::MetricKind::kCounter) resolution_ = 0;
}

double AnomalyDetector::Floor() const {
  return std::max({resolution_, kRelativeFloor * std::abs(slow_.mean), 1e-12});
}

double AnomalyDetector::expected_low() const {
  return slow_.mean - slow_.quantile * std::max(slow_.spread, Floor());
}

double AnomalyDetector::expected_high() const {
  return slow_.mean + slow_.quantile * std::max(slow_.spread, Floor());
}

double AnomalyDetector::ProbabilityOfValue(double value) {
  const auto exact = static_cast<float>(value);
  Value* found = nullptr;
  float lowest = exact, highest = exact;
  for (size_t i = 0; i < distinct_; ++i) {
    if (values_[i].value == exact) found = &values_[i];
    lowest = i == 0 ? values_[i].value : std::min(lowest, values_[i].value);
    highest = i == 0 ? values_[i].value : std::max(highest, values_[i].value);
  }
  double probability = ((found ? found->count : 0) + 0.5) / (total_ + 1.0);
  if (found == nullptr) {
    // The farther outside of all that was seen, the odder.
    const double range = std::max<double>(highest - lowest, Floor());
    const double outside =
        std::max({0.0, double{exact} - highest, double{lowest} - exact}) /
        range;
    probability /= 1 + outside;
    if (distinct_ == kValues) {
      ++distinct_;
      return probability;
    }
    values_[distinct_] = {exact, 0};
    found = &values_[distinct_++];
  }
  found->count += 1;
  total_ += 1;
  if (total_ > kMaxCount) {
    total_ /= 2;
    for (size_t i = 0; i < distinct_; ++i) values_[i].count /= 2;
  }
  return probability;
}

void AnomalyDetector::AcceptNewNormal(absl::Time time, double value,
                                      double distance) {
  const bool high = value > slow_.mean;
  if (distance <= slow_.quantile || (away_ > 0 && high != away_high_)) {
    away_ = 0;
    return;
  }
  if (away_ == 0) away_since_ = time;
  away_high_ = high;
  ++away_;
  if (away_ < kNewNormalSamples || time - away_since_ < kNewNormalAfter) {
    return;
  }
  slow_.mean = quick_.mean;
  slow_.spread = std::max(slow_.spread / 2, quick_.spread);
  away_ = 0;
}

double AnomalyDetector::Observe(absl::Time time, double value) {
  if (kind_ == wire::MetricKind::kCounter) {
    const double before = last_;
    const double seconds = SecondsOf(time - last_time_);
    const bool usable = has_last_ && value >= before && seconds > 0;
    has_last_ = true;
    last_ = value;
    last_time_ = time;
    if (!usable) return score_;
    value = (value - before) / seconds;
  }
  value_ = value;
  if (seen_ == 0) slow_.mean = quick_.mean = value;
  const double floor = Floor();
  const double far_slow = slow_.Distance(value, floor);
  const double far_quick = quick_.Distance(value, floor);

  double probability = 1;
  if (distinct_ <= kValues) probability = ProbabilityOfValue(value);
  if (distinct_ > kValues) {
    // A sudden change within the usual range is half as odd as leaving it.
    probability = std::min(slow_.Probability(far_slow),
                           std::sqrt(quick_.Probability(far_quick)));
  }
  score_ = seen_ < kWarmUp ? 0 : ScoreOf(probability);

  if (seen_ < kWarmUp) ++seen_;
  const double start_rate = seen_ < kWarmUp ? 1.0 / (seen_ + 1) : 0;
  slow_.Learn(value, floor, std::max(kSlowRate, start_rate));
  quick_.Learn(value, floor, std::max(kQuickRate, start_rate));
  AcceptNewNormal(time, value, far_slow);
  return score_;
}

}  // namespace forewarn::detect
