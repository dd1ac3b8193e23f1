#include "collector/detect/robust_trend.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace forewarn::detect {
namespace {

// Mean absolute deviation to standard deviation, for Gaussian noise.
constexpr double kMeanAbsoluteToSigma = 1.2533;
// Beyond this the noise is no noise but the shape of the curve.
constexpr double kMaxAutocorrelation = 0.9;

double Median(double* begin, double* end) {
  double* middle = begin + (end - begin) / 2;
  std::nth_element(begin, middle, end);
  return *middle;
}

}  // namespace

std::optional<RobustTrend> FitTrend(absl::Span<const TrendPoint> points) {
  const size_t n = std::min(points.size(), kMaxTrendPoints);
  if (n < 3) return std::nullopt;
  const double extent = points[n - 1].seconds - points[0].seconds;
  if (extent <= 0) return std::nullopt;

  std::array<double, kMaxTrendPoints*(kMaxTrendPoints - 1) / 2> slopes;
  size_t pairs = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = i + 1; k < n; ++k) {
      const double seconds = points[k].seconds - points[i].seconds;
      if (seconds <= 0) continue;
      slopes[pairs++] = (points[k].value - points[i].value) / seconds;
    }
  }
  if (pairs == 0) return std::nullopt;
  RobustTrend trend;
  trend.slope = Median(slopes.data(), slopes.data() + pairs);

  std::array<double, kMaxTrendPoints> residuals;
  for (size_t i = 0; i < n; ++i) {
    residuals[i] = points[i].value - trend.slope * points[i].seconds;
  }
  std::array<double, kMaxTrendPoints> sorted = residuals;
  trend.level = Median(sorted.data(), sorted.data() + n);

  double mean_time = 0;
  for (size_t i = 0; i < n; ++i) mean_time += points[i].seconds;
  mean_time /= static_cast<double>(n);
  double absolute = 0, square = 0, lagged = 0, time_square = 0;
  for (size_t i = 0; i < n; ++i) {
    const double r = residuals[i] - trend.level;
    absolute += std::abs(r);
    square += r * r;
    if (i > 0) lagged += r * (residuals[i - 1] - trend.level);
    const double t = points[i].seconds - mean_time;
    time_square += t * t;
  }
  const double sigma =
      kMeanAbsoluteToSigma * absolute / static_cast<double>(n);
  const double correlation =
      square > 0 ? std::clamp(lagged / square, 0.0, kMaxAutocorrelation) : 0;
  trend.slope_error = sigma *
                      std::sqrt((1 + correlation) / (1 - correlation)) /
                      std::sqrt(time_square);
  return trend;
}

}  // namespace forewarn::detect
