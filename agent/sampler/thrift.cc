#include "agent/sampler/thrift.h"

#include <algorithm>

namespace forewarn::agent {

uint32_t Thrift::Stretch(absl::Duration since_boot, absl::Duration cpu,
                         bool on_battery) {
  if (window_began_ == absl::InfiniteDuration()) {
    window_began_ = since_boot;
    cpu_then_ = cpu;
  }
  const absl::Duration passed = since_boot - window_began_;
  if (passed >= options_.window) {
    cpu_share_ = absl::FDivDuration(cpu - cpu_then_, passed);
    if (cpu_share_ > options_.cpu_budget) {
      shed_ = std::min(shed_ * 2, options_.most);
    } else if (cpu_share_ < options_.cpu_budget / 3) {
      // Half the tick costs at most twice as much: well within still.
      shed_ = std::max(shed_ / 2, uint32_t{1});
    }
    window_began_ = since_boot;
    cpu_then_ = cpu;
  }
  return std::min(shed_ * (on_battery ? options_.on_battery : 1),
                  options_.most);
}

}  // namespace forewarn::agent
