#ifndef FOREWARN_COLLECTOR_DETECT_ANOMALY_DETECTOR_H_
#define FOREWARN_COLLECTOR_DETECT_ANOMALY_DETECTOR_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/detect/tail_model.h"
#include "protos/wire/series.h"

namespace forewarn::detect {

// How odd the latest minute of one series is, by what that series did before.
//
// Samples are averaged over a minute, or judged singly where they come more
// seldom. Seven plain views look at each: the distance from a quick level, from
// that of the last half hour, from a slow one, from the value before, from what
// this hour of the day is like, of the quick level from that of the last hour,
// and how restless the series is. How often each distance occurs is learnt
// (TailModel), so that what is usual for this series counts for nothing. What
// the views say together is again weighed by how often that much was said, so
// that the surprise is a probability.
//
// Input    gauges as they are, counters as rates (a reset is no sample),
//          states as values; a pause is no jump.
// State    some 800 bytes; no allocation. Silent until kWarmUp minutes.
// Threads  thread-compatible.
class AnomalyDetector {
 public:
  static constexpr uint32_t kWarmUp = 200;

  // What was odd about it, most of all.
  enum class View : uint8_t {
    kQuickLevel,  // left the last minutes' level
    kHalfHour,    // left the last half hour's level
    kSlowLevel,   // out of the usual range
    kJump,        // far from the value before
    kHour,        // not what this hour of the day is like
    kShift,       // the last minutes are above or below the last hour
    kUnrest,      // moves more, or less, than it used to
  };

  // `digits` as in SeriesDefinition: a difference under the last digit means
  // nothing.
  AnomalyDetector(wire::MetricKind kind, uint32_t digits);

  // Finite values, ascending times. True when a minute was complete and has
  // been judged.
  bool Observe(absl::Time time, double value);

  // -log10 of how often the series is as odd as it was in the minute judged
  // last; 0 until enough was seen.
  double surprise() const { return surprise_; }
  // The same in [0, 1]: a tenth of it.
  double score() const;
  // What the views said together, unweighed by how often they say so: how far
  // it is beyond all that they knew.
  double outcry() const { return outcry_; }
  // The view that spoke last.
  View view() const { return view_; }

  // What was judged last: a value, or a counter's rate.
  double value() const { return value_; }
  // What would have been no news, by the view that spoke.
  double expected_low() const { return expected_ - band_; }
  double expected_high() const { return expected_ + band_; }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.gathered_, self.gathered_count_, self.counted_, self.last_,
            self.last_time_, self.seen_, self.judged_at_, self.step_,
            self.surprise_, self.outcry_, self.view_, self.value_,
            self.expected_, self.band_, self.quick_, self.half_hour_,
            self.middle_, self.slow_, self.low_, self.high_, self.moves_,
            self.usual_moves_, self.away_, self.away_high_, self.away_since_,
            self.hours_, self.minutes_, self.views_, self.together_);
  }

 private:
  static constexpr size_t kViews = 7;
  static constexpr size_t kHours = 24;

  // One way to look: the size of its distances, and how often they occur.
  struct Lens {
    float spread = 0;   // mean distance
    uint16_t seen = 0;  // distances, up to kSettled
    TailModel tail;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.spread, self.seen, self.tail);
    }
  };
  struct Hour {
    size_t near = 0;
    size_t next = 0;
    double share = 0;  // of the next one
  };

  void Judge(absl::Time time, double value);
  double Look(View view, double distance, double floor);
  void Learn(absl::Time time, double value, double floor, const Hour& hour);
  void AcceptNewNormal(absl::Time time, double value, double unit);
  void SetExpected(double before, double seasonal);
  double Floor() const;
  static Hour HourOf(absl::Time time);

  wire::MetricKind kind_;
  float resolution_;

  // The minute that is being gathered.
  double gathered_ = 0;
  uint32_t gathered_count_ = 0;
  // A counter's sample before.
  bool counted_ = false;
  double last_ = 0;
  absl::Time last_time_;

  uint32_t seen_ = 0;  // minutes
  absl::Time judged_at_ = absl::InfinitePast();
  float step_ = 0;  // seconds between judgements
  float surprise_ = 0;
  float outcry_ = 0;
  View view_ = View::kQuickLevel;
  double value_ = 0;
  double expected_ = 0;
  double band_ = 0;

  double quick_ = 0;
  double half_hour_ = 0;
  double middle_ = 0;
  double slow_ = 0;
  double low_ = 0;  // the range, forgotten slowly
  double high_ = 0;
  double moves_ = 0;        // mean step of late
  double usual_moves_ = 0;  // and in the long run

  // The series has stayed on one side for so long.
  uint32_t away_ = 0;
  bool away_high_ = false;
  absl::Time away_since_;

  std::array<float, kHours> hours_{};      // mean, by hour of the day in UTC
  std::array<uint8_t, kHours> minutes_{};  // samples in it, up to its memory
  std::array<Lens, kViews> views_;
  TailModel together_;
};

// A key for people's words: jump, level, hour, shift, unrest.
absl::string_view ViewName(AnomalyDetector::View view);

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_ANOMALY_DETECTOR_H_
