#ifndef FOREWARN_COLLECTOR_DETECT_ANOMALY_WATCH_H_
#define FOREWARN_COLLECTOR_DETECT_ANOMALY_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/detect/anomaly_detector.h"
#include "collector/detect/endpoint_oddness.h"
#include "collector/detect/series_table.h"
#include "forewarn/v1/desk.pb.h"

namespace forewarn::detect {

// The subsystem that a series belongs to, as rules name them.
absl::string_view SubsystemOf(const wire::SeriesDefinition& definition);

// Which odd series of an endpoint are worth a symptom, and of what priority.
// Most are INFO: evidence, no ticket. One becomes more only when it lasts and
// is joined by others of its subsystem, or touches what users feel: pressure,
// latency, errors, loss.
//
// Threads  thread-compatible.
class AnomalyWatch {
 public:
  struct Finding {
    uint32_t series = 0;
    v1::Priority priority = v1::INFO;
    double score = 0;
    absl::Time since;
  };

  void Define(uint32_t series, const wire::SeriesDefinition& definition);
  void Observe(absl::Time time, uint32_t series, double value);
  // The series is gone.
  void Forget(uint32_t series);

  // Decides anew; call once a tick. What stands now, by series.
  const std::vector<Finding>& Decide(absl::Time time);

  double score(uint32_t series) const;
  // The endpoint as a whole, as of the last Decide.
  const EndpointOddness::Novelty& novelty() const { return oddness_.novelty(); }
  const AnomalyDetector* detector(uint32_t series) const;

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.standing_, self.oddness_);
    archive.InPlace(self.states_);
  }

 private:
  struct State {
    AnomalyDetector detector;
    uint8_t subsystem = 0;
    uint8_t metric_group = 0;
    float felt_floor = 0;  // > 0: users feel values beyond it
    bool may_speak = true;
    bool stands = false;
    float strength = 0;  // the score, smoothed
    float weight = 0;    // in its endpoint's oddness; fades within minutes
    float value = 0;
    absl::Time first = absl::InfiniteFuture();
    absl::Time last;
    absl::Time since;
    absl::Time weak_since;
    v1::Priority priority = v1::INFO;

    State(wire::MetricKind kind, uint32_t digits) : detector(kind, digits) {}

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.detector, self.may_speak, self.stands, self.strength,
              self.weight, self.value, self.first, self.last, self.since,
              self.weak_since, self.priority);
    }
  };

  v1::Priority PriorityOf(absl::Time time, const State& state) const;

  void JudgeEndpoint(absl::Time time);

  std::vector<State> states_;
  size_t speakers_ = 0;  // series that may speak
  bool judged_ = false;  // one of them, since the last Decide
  EndpointOddness oddness_;
  std::vector<uint32_t> standing_;  // ascending
  std::vector<Finding> findings_;
  std::vector<std::string> metrics_;  // a metric's group is its place
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_ANOMALY_WATCH_H_
