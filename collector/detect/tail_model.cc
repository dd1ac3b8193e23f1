#include "collector/detect/tail_model.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace forewarn::detect {
namespace {

constexpr double kBody = 0.1;
constexpr double kTail = 0.02;
// Fitted anew after so many: it moves slowly.
constexpr uint8_t kFitEvery = 16;
constexpr uint8_t kRun = 4;
constexpr uint8_t kLateOneIn = 20;

}  // namespace

// The logarithm, straight between powers of two: it need only be the same
// everywhere.
float TailModel::Position(double distance) {
  const float bounded = static_cast<float>(std::clamp(distance, 1e-30, 1e30));
  const float octaves =
      static_cast<float>(std::bit_cast<uint32_t>(bounded)) / (1u << 23) - 127;
  return std::max(0.0F, (octaves - kFirstOctave) * kBinsAnOctave);
}

double TailModel::Surprise(double distance) const {
  const float position = Position(distance);
  if (position < body_) return 0;
  if (position >= tail_) {
    return tail_surprise_ + slope_ * (position - tail_);
  }
  const auto bin = static_cast<size_t>(position);
  double beyond = counts_[bin] * (1 - (position - static_cast<float>(bin)));
  for (size_t i = bin + 1; i < kBins; ++i) beyond += counts_[i];
  return -std::log10((beyond + kUnit) / (total_ + 2 * kUnit));
}

double TailModel::DistanceOf(double surprise) const {
  float position = tail_;
  if (surprise >= tail_surprise_) {
    position +=
        slope_ > 0 ? static_cast<float>(surprise - tail_surprise_) / slope_ : 0;
  } else {
    const double share = std::pow(10, -surprise) * total_;
    double beyond = 0;
    size_t bin = kBins;
    while (bin > 0 && beyond + counts_[bin - 1] <= share) {
      beyond += counts_[--bin];
    }
    position = static_cast<float>(bin);
  }
  return std::exp2(std::min(position, 200.0F) / kBinsAnOctave + kFirstOctave);
}

void TailModel::Learn(double distance, bool odd, const Prior& prior) {
  // After a long run it takes as long to forget that there was one.
  if (odd) {
    if (run_ < UINT8_MAX) ++run_;
  } else if (run_ > 0) {
    --run_;
  }
  if (run_ > kRun && ++late_ < kLateOneIn) return;
  late_ = 0;
  const auto bin = std::min(static_cast<size_t>(Position(distance)), kBins - 1);
  counts_[bin] += kUnit;
  total_ += kUnit;
  if (total_ >= kMost) Halve();
  // One of the tail changes it at once.
  if (stale_ == 0 || bin >= tail_) {
    Fit(prior);
    stale_ = kFitEvery;
  }
  --stale_;
}

void TailModel::Halve() {
  total_ = 0;
  for (uint16_t& count : counts_) {
    count /= 2;
    total_ += count;
  }
}

void TailModel::Fit(const Prior& prior) {
  const double total = total_;
  const double most = std::max<double>(kTail * total, kUnit);
  size_t bin = kBins;
  double beyond = 0, moment = 0;
  while (bin > 0 && beyond + counts_[bin - 1] <= most) {
    --bin;
    moment += beyond + 0.5 * counts_[bin];
    beyond += counts_[bin];
  }
  tail_ = static_cast<uint8_t>(bin);
  tail_surprise_ =
      static_cast<float>(-std::log10((beyond + kUnit) / (total + 2 * kUnit)));
  // Excesses in natural logarithms.
  constexpr double kBinLog = 0.6931471805599453 / kBinsAnOctave;
  const double weight = prior.weight * kUnit;
  const double exponent =
      (beyond + weight) / (moment * kBinLog + weight / prior.exponent);
  slope_ = static_cast<float>(exponent * kBinLog / 2.302585092994046);
  double farther = beyond;
  while (bin > 0 && farther + counts_[bin - 1] <= kBody * total) {
    farther += counts_[--bin];
  }
  body_ = static_cast<uint8_t>(bin);
}

}  // namespace forewarn::detect
