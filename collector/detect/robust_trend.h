#ifndef FOREWARN_COLLECTOR_DETECT_ROBUST_TREND_H_
#define FOREWARN_COLLECTOR_DETECT_ROBUST_TREND_H_

#include <cstddef>
#include <optional>

#include "absl/types/span.h"

namespace forewarn::detect {

struct TrendPoint {
  double seconds = 0;  // relative to an instant of the caller's choice
  double value = 0;
};

// A straight line through points, and how far its slope can be trusted.
struct RobustTrend {
  double slope = 0;        // value per second
  double slope_error = 0;  // one standard error, autocorrelation counted in
  double level = 0;        // of the line at second 0
};

inline constexpr size_t kMaxTrendPoints = 64;

// The median of pairwise slopes.
//
// Input    points: [n], 3 <= n <= kMaxTrendPoints, ascending in time.
// Output   nullopt for fewer points or no extent in time.
// Cost     O(n^2), no allocation.
// Source   Sen, J. Am. Stat. Assoc. 63(324), 1968, 1379-1389.
std::optional<RobustTrend> FitTrend(absl::Span<const TrendPoint> points);

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_ROBUST_TREND_H_
