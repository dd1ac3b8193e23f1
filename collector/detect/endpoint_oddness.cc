#include "collector/detect/endpoint_oddness.h"

#include <algorithm>
#include <cmath>

#include "collector/detect/seconds.h"

namespace forewarn::detect {
namespace {

// What each further series counts, of the one before it.
constexpr double kFurther = 0.7;
// The bar sinks to a third within so long, or so many moments.
constexpr double kSinkSeconds = 3600;
constexpr double kSinkMoments = 60;
constexpr double kAlarm = 4.5;
constexpr double kHalf = 4;

}  // namespace

void EndpointOddness::Begin() { highest_.fill(0); }

void EndpointOddness::Add(double weight) {
  if (weight <= highest_.back()) return;
  size_t i = kMost - 1;
  for (; i > 0 && highest_[i - 1] < weight; --i) highest_[i] = highest_[i - 1];
  highest_[i] = weight;
}

const EndpointOddness::Novelty& EndpointOddness::Finish(absl::Time time,
                                                        size_t series) {
  double sum = 0, whole = 0, share = 1;
  for (size_t i = 0; i < std::min(series, kMost); ++i) {
    sum += share * highest_[i];
    whole += share;
    share *= kFurther;
  }
  const double oddness = whole > 0 ? sum / whole : 0;
  if (time_ != absl::InfinitePast()) {
    step_ = time - time_;
    bar_ *= std::exp(-SecondsOf(step_) /
                     std::max(kSinkSeconds, kSinkMoments * SecondsOf(step_)));
  }
  time_ = time;
  const bool news = oddness > bar_;
  if (news) bar_ = oddness;
  novelty_.score = news ? oddness / (oddness + kHalf) : 0;
  novelty_.alarm = news && oddness >= kAlarm;
  return novelty_;
}

}  // namespace forewarn::detect
