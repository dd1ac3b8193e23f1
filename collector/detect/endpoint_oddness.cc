#include "collector/detect/endpoint_oddness.h"

#include <algorithm>
#include <cmath>

#include "collector/detect/seconds.h"

namespace forewarn::detect {
namespace {

// The share of the outcry, where a series stands alone and where it does not.
constexpr double kAlone = 0.2;
constexpr double kTogether = 0.55;
// The bar sinks to a third within so long, or so many moments.
constexpr double kSinkSeconds = 3600;
constexpr double kSinkMoments = 60;
// An oddness of which the score is one half.
constexpr double kHalf = 4;
// An alarm, by how often this endpoint is as odd, and a part of the oddness.
constexpr double kAlarm = 4.4;
constexpr double kOddnessInAlarm = 0.3;
constexpr double kOctavesOfOddness = 0.5;
constexpr TailModel::Prior kPrior = {4, 100};
constexpr double kEvent = 1.7;
constexpr uint32_t kWarmUp = 150;

}  // namespace

double EndpointOddness::Weight(double surprise, double outcry, size_t series) {
  const double share = series > 1 ? kTogether : kAlone;
  return (1 - share) * surprise + share * outcry;
}

void EndpointOddness::Begin() { highest_.fill(0); }

void EndpointOddness::Add(double weight) {
  if (weight <= highest_.back()) return;
  size_t i = kMost - 1;
  for (; i > 0 && highest_[i - 1] < weight; --i) highest_[i] = highest_[i - 1];
  highest_[i] = weight;
}

const EndpointOddness::Novelty& EndpointOddness::Finish(absl::Time time,
                                                        size_t series) {
  const size_t count = std::min(series, kMost);
  double oddness = 0;
  for (size_t i = 0; i < count; ++i) {
    oddness += highest_[i] / static_cast<double>(count);
  }
  const double since = SecondsOf(cadence_.Observe(time));
  const double step = std::max(1.0, SecondsOf(cadence_.interval()));
  bar_ *= std::exp(-since / std::max(kSinkSeconds, kSinkMoments * step));

  const double distance =
      std::exp2(std::min(kOctavesOfOddness * oddness, 99.0));
  const double own = own_.seen() < kWarmUp ? 0 : own_.Surprise(distance);
  own_.Learn(distance, own > kEvent, kPrior);
  // One in so many moments is rarer where there are fewer of them.
  const double rarity = std::log10(step / 60);
  if (oddness > 0) oddness = std::max(0.0, oddness + rarity);

  const bool news = oddness > bar_;
  if (news) bar_ = oddness;
  novelty_.score = news ? oddness / (oddness + kHalf) : 0;
  novelty_.alarm = news && (1 - kOddnessInAlarm) * own +
                                   kOddnessInAlarm * oddness + rarity >=
                               kAlarm;
  return novelty_;
}

}  // namespace forewarn::detect
