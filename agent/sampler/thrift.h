#ifndef FOREWARN_AGENT_SAMPLER_THRIFT_H_
#define FOREWARN_AGENT_SAMPLER_THRIFT_H_

#include <cstdint>

#include "absl/time/time.h"

namespace forewarn::agent {

// How many times longer than configured the tick should be: longer on
// battery, and longer while the agent takes more of the processor than its
// budget, until it is well within it again. Thread-compatible.
class Thrift {
 public:
  struct Options {
    double cpu_budget = 0.005;  // of one core, on average over `window`
    absl::Duration window = absl::Minutes(10);
    uint32_t on_battery = 3;
    uint32_t most = 12;
  };

  explicit Thrift(Options options) : options_(options) {}

  // `since_boot` grows; `cpu` is what the process has used so far.
  uint32_t Stretch(absl::Duration since_boot, absl::Duration cpu,
                   bool on_battery);

  // Of the last whole window, in cores.
  double cpu_share() const { return cpu_share_; }
  bool over_budget() const { return shed_ > 1; }

 private:
  const Options options_;
  absl::Duration window_began_ = absl::InfiniteDuration();
  absl::Duration cpu_then_;
  double cpu_share_ = 0;
  uint32_t shed_ = 1;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SAMPLER_THRIFT_H_
