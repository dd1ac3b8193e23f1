#ifndef FOREWARN_COLLECTOR_DETECT_ENDPOINT_ODDNESS_H_
#define FOREWARN_COLLECTOR_DETECT_ENDPOINT_ODDNESS_H_

#include <array>
#include <cstddef>

#include "absl/time/time.h"
#include "collector/detect/cadence.h"
#include "collector/detect/tail_model.h"

namespace forewarn::detect {

// How odd an endpoint is in all, by its three oddest series, so that one noisy
// series alone does not speak for the machine. A series' own past says how far
// it is to be believed; several vouch for each other, so that there more of
// their outcry counts. What was said once is no news: a bar stands where the
// last word was and sinks within the hour.
//
// Threads  thread-compatible.
class EndpointOddness {
 public:
  struct Novelty {
    double score = 0;    // [0, 1)
    bool alarm = false;  // worth a person's look, at the shipped sensitivity
  };

  // What a series counts, by its detector's surprise and outcry, among so many
  // of its endpoint.
  static double Weight(double surprise, double outcry, size_t series);

  // A moment begins; then Add for each series that says anything, then Finish.
  void Begin();
  void Add(double weight);
  // `series`: how many there are, silent ones counted in.
  const Novelty& Finish(absl::Time time, size_t series);

  const Novelty& novelty() const { return novelty_; }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.bar_, self.cadence_, self.own_, self.novelty_.score,
            self.novelty_.alarm);
  }

 private:
  static constexpr size_t kMost = 3;

  std::array<double, kMost> highest_{};  // descending
  double bar_ = 0;
  Cadence cadence_;
  TailModel own_;  // of the endpoint's oddness
  Novelty novelty_;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_ENDPOINT_ODDNESS_H_
