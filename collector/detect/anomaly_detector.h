#ifndef FOREWARN_COLLECTOR_DETECT_ANOMALY_DETECTOR_H_
#define FOREWARN_COLLECTOR_DETECT_ANOMALY_DETECTOR_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "protos/wire/series.h"

namespace forewarn::detect {

// How odd each sample of one series is, by what that series did before.
//
// The distance of a sample from a slowly and from a quickly moving robust
// level is measured in robust spreads; how often such distances occur is
// learnt, its tail as a power law, so that the score is a probability and not
// a distance: score = -log10(probability) / 10, 0.3 is one sample in a
// thousand, 0.6 one in a million. A series of few distinct values is judged by
// how often each value occurs. What goes on long enough becomes normal.
//
// Input    gauges as they are, counters as rates (a reset is no sample),
//          states as values.
// State    about 300 bytes; no allocation. No score until kWarmUp samples.
// Source   Tail: Hill, Ann. Statist. 3(5), 1975, 1163-1174.
// Threads  thread-compatible.
class AnomalyDetector {
 public:
  static constexpr uint32_t kWarmUp = 120;

  // `digits` as in SeriesDefinition: a difference under the last digit means
  // nothing.
  AnomalyDetector(wire::MetricKind kind, uint32_t digits);

  // Finite values, ascending times. Returns the score in [0, 1].
  double Observe(absl::Time time, double value);

  double score() const { return score_; }
  // What was judged last: the value, or a counter's rate.
  double value() const { return value_; }
  // What would have been no news: the band around the slow level.
  double expected_low() const;
  double expected_high() const;

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.seen_, self.has_last_, self.last_, self.last_time_,
            self.score_, self.value_, self.slow_, self.quick_, self.values_,
            self.distinct_, self.total_, self.away_, self.away_high_,
            self.away_since_);
  }

 private:
  // A level that follows the series, its spread, and the tail of distances.
  struct Level {
    double mean = 0;
    double spread = 0;    // mean absolute deviation
    double quantile = 3;  // of the distance, in spreads
    double tail = 0.2;    // mean log excess over the quantile
    uint32_t run = 0;     // samples beyond the quantile in a row

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.mean, self.spread, self.quantile, self.tail, self.run);
    }

    double Distance(double value, double floor) const;
    double Probability(double distance) const;
    void Learn(double value, double floor, double rate);
  };

  struct Value {
    float value = 0;
    float count = 0;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.value, self.count);
    }
  };
  static constexpr size_t kValues = 8;

  double ProbabilityOfValue(double value);
  double Floor() const;
  void AcceptNewNormal(absl::Time time, double value, double distance);

  wire::MetricKind kind_;
  double resolution_;
  uint32_t seen_ = 0;
  bool has_last_ = false;
  double last_ = 0;
  absl::Time last_time_;
  double score_ = 0;
  double value_ = 0;

  Level slow_;
  Level quick_;

  // Few distinct values: their counts; kValues + 1 once there were too many.
  std::array<Value, kValues> values_;
  uint8_t distinct_ = 0;
  float total_ = 0;

  // The series has stayed on one side for so long.
  uint32_t away_ = 0;
  bool away_high_ = false;
  absl::Time away_since_;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_ANOMALY_DETECTOR_H_
