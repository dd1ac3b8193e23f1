#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "collector/words/words.h"
#include "protos/wire/proto_time.h"

namespace forewarn::words {
namespace {

constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr int kTop = 7;
constexpr int kMiddle = 3;

struct Point {
  absl::Time time;
  double value;
};

std::vector<Point> FinitePoints(
    const google::protobuf::RepeatedPtrField<v1::SamplePoint>& window) {
  std::vector<Point> points;
  for (const v1::SamplePoint& sample : window) {
    if (std::isfinite(sample.value())) {
      points.push_back({wire::ToTime(sample.time()), sample.value()});
    }
  }
  std::stable_sort(
      points.begin(), points.end(),
      [](const Point& a, const Point& b) { return a.time < b.time; });
  return points;
}

// The usual distance of two points; a wider one is a gap.
absl::Duration UsualStep(const std::vector<Point>& points) {
  std::vector<absl::Duration> steps;
  for (size_t i = 1; i < points.size(); ++i) {
    steps.push_back(points[i].time - points[i - 1].time);
  }
  std::nth_element(steps.begin(), steps.begin() + steps.size() / 2,
                   steps.end());
  return steps[steps.size() / 2];
}

}  // namespace

std::string Sparkline(
    const google::protobuf::RepeatedPtrField<v1::SamplePoint>& window,
    int width) {
  const std::vector<Point> points = FinitePoints(window);
  if (points.empty() || width <= 0) return "";
  if (points.size() == 1) return kBlocks[kMiddle];
  const absl::Duration span = points.back().time - points.front().time;
  const absl::Duration step = UsualStep(points);
  // Columns of one step each, or wider where they would not fit.
  double columns = static_cast<double>(points.size());
  if (step > absl::ZeroDuration()) {
    columns = std::round(absl::FDivDuration(span, step)) + 1;
  }
  const int count = static_cast<int>(std::clamp(columns, 1.0, width * 1.0));

  std::vector<double> sums(static_cast<size_t>(count), 0);
  std::vector<int> counts(static_cast<size_t>(count), 0);
  for (const Point& point : points) {
    const double place =
        span > absl::ZeroDuration()
            ? absl::FDivDuration(point.time - points.front().time, span)
            : 0;
    const size_t column = static_cast<size_t>(std::lround(place * (count - 1)));
    sums[column] += point.value;
    ++counts[column];
  }
  double low = INFINITY;
  double high = -INFINITY;
  for (size_t i = 0; i < sums.size(); ++i) {
    if (counts[i] == 0) continue;
    sums[i] /= counts[i];
    low = std::min(low, sums[i]);
    high = std::max(high, sums[i]);
  }
  std::string line;
  for (size_t i = 0; i < sums.size(); ++i) {
    if (counts[i] == 0) {
      line += ' ';
      continue;
    }
    // Halved first: the difference of two huge values may be infinite.
    const double height = high / 2 - low / 2;
    const double part = height > 0 ? (sums[i] / 2 - low / 2) / height : 0.5;
    line += kBlocks[height > 0 ? std::lround(part * kTop) : kMiddle];
  }
  return line;
}

}  // namespace forewarn::words
