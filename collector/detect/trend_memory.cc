#include "collector/detect/trend_memory.h"

#include <algorithm>
#include <cmath>

namespace forewarn::detect {
namespace {

constexpr double kFinestSeconds = 10;
constexpr double kRatio = 5;

double UnixSeconds(absl::Time time) {
  return absl::ToDoubleSeconds(time - absl::UnixEpoch());
}

}  // namespace

void TrendMemory::Add(absl::Time time, double value) {
  first_time_ = std::min(first_time_, time);
  const double seconds = UnixSeconds(time);
  double width = kFinestSeconds;
  for (Level& level : levels_) {
    const auto bucket = static_cast<int64_t>(std::floor(seconds / width));
    width *= kRatio;
    if (bucket != level.bucket && level.count > 0) {
      const Point closed{level.seconds_sum / level.count,
                         level.value_sum / level.count};
      // One place is the open bucket's.
      if (level.ring.size() < kPoints - 1) {
        level.ring.push_back(closed);
      } else {
        level.ring[level.head] = closed;
        level.head = (level.head + 1) % level.ring.size();
      }
      level.seconds_sum = level.value_sum = 0;
      level.count = 0;
    }
    level.bucket = bucket;
    level.seconds_sum += seconds;
    level.value_sum += value;
    ++level.count;
  }
}

size_t TrendMemory::Window(
    absl::Time now, absl::Duration window,
    std::array<TrendPoint, kMaxTrendPoints>& points) const {
  const double now_seconds = UnixSeconds(now);
  const double from = now_seconds - absl::ToDoubleSeconds(window);
  const double first = UnixSeconds(first_time_);
  const Level* chosen = &levels_.back();
  for (const Level& level : levels_) {
    const double oldest = level.ring.size() < kPoints - 1
                              ? first
                              : level.ring[level.head].seconds;
    if (oldest <= from || oldest <= first) {
      chosen = &level;
      break;
    }
  }
  size_t n = 0;
  for (size_t i = 0; i < chosen->ring.size(); ++i) {
    const Point& point =
        chosen->ring[(chosen->head + i) % chosen->ring.size()];
    if (point.seconds < from) continue;
    points[n++] = {point.seconds - now_seconds, point.value};
  }
  if (chosen->count > 0) {
    const double seconds = chosen->seconds_sum / chosen->count;
    if (seconds >= from) {
      points[n++] = {seconds - now_seconds,
                     chosen->value_sum / chosen->count};
    }
  }
  return n;
}

absl::Duration TrendMemory::Reach(absl::Time now) const {
  return first_time_ == absl::InfiniteFuture() ? absl::ZeroDuration()
                                               : now - first_time_;
}

}  // namespace forewarn::detect
