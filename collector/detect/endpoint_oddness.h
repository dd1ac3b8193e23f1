#ifndef FOREWARN_COLLECTOR_DETECT_ENDPOINT_ODDNESS_H_
#define FOREWARN_COLLECTOR_DETECT_ENDPOINT_ODDNESS_H_

#include <array>
#include <cstddef>

#include "absl/time/time.h"

namespace forewarn::detect {

// How odd an endpoint is in all, by what its series weigh at one moment: the
// oddest counts most, each further one less, so that one noisy series alone
// does not speak for the machine. What was said once is no news: a bar stands
// where the last word was and sinks within the hour.
//
// Threads  thread-compatible.
class EndpointOddness {
 public:
  struct Novelty {
    double score = 0;    // [0, 1); 0.5 is one such minute in ten thousand
    bool alarm = false;  // worth a person's look, at the shipped sensitivity
  };

  // A moment begins; then Add for each series, then Finish.
  void Begin();
  void Add(double weight);
  // `series`: how many there are, silent ones counted in.
  const Novelty& Finish(absl::Time time, size_t series);

  const Novelty& novelty() const { return novelty_; }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.bar_, self.time_, self.step_, self.novelty_.score,
            self.novelty_.alarm);
  }

 private:
  static constexpr size_t kMost = 12;

  std::array<double, kMost> highest_{};  // descending
  double bar_ = 0;
  absl::Time time_ = absl::InfinitePast();
  absl::Duration step_;
  Novelty novelty_;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_ENDPOINT_ODDNESS_H_
