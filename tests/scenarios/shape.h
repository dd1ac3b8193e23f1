#ifndef FOREWARN_TESTS_SCENARIOS_SHAPE_H_
#define FOREWARN_TESTS_SCENARIOS_SHAPE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace forewarn::scenarios {

// 90s, 10min, 4h or 30d.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

// The course of one series in words: steps separated by commas.
//
//   from V           start at V (otherwise 0)
//   noise A          from here on add even, repeatable noise within -A..A
//   hold V D         stay at V for D
//   ramp V D         go from the present value to V in D
//   rate R D         change by R a second for D (a counter, an age)
//   saw L H P D      rise from L to H and drop back, every P, for D
//   wave M A P D     M plus A times a sine of period P, for D
//   gap D            no samples for D
//   add N, reset     change by N, or to 0, at once
//
// The last step may omit D: it then lasts as long as the other series. What
// comes after the last step is the value at its end.
class Shape {
 public:
  static absl::StatusOr<Shape> Parse(absl::string_view text);

  // The value `since` the start; nullopt in a gap.
  std::optional<double> At(absl::Duration since) const;

  // All steps that have a duration.
  absl::Duration length() const { return length_; }

 private:
  enum class Kind { kHold, kRamp, kRate, kSaw, kWave, kGap };
  struct Step {
    Kind kind = Kind::kHold;
    double from = 0;  // value at the start, or the low or middle one
    double to = 0;    // value at the end, the high one, or the amplitude
    double rate = 0;
    double noise = 0;
    absl::Duration period;
    absl::Duration start;
    absl::Duration duration;  // infinite for an open last step
  };

  static double ValueAt(const Step& step, absl::Duration into);
  absl::Status Add(absl::string_view text, double& value, double& noise);

  std::vector<Step> steps_;
  absl::Duration length_;
};

}  // namespace forewarn::scenarios

#endif  // FOREWARN_TESTS_SCENARIOS_SHAPE_H_
