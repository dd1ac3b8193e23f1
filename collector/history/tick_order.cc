#include "collector/history/tick_order.h"

#include <algorithm>
#include <utility>

namespace forewarn::history {
namespace {

bool Earlier(const wire::Tick& a, const wire::Tick& b) {
  return a.time < b.time;
}

}  // namespace

void Arrange(std::vector<wire::Tick>& ticks) {
  if (!std::is_sorted(ticks.begin(), ticks.end(), Earlier)) {
    std::stable_sort(ticks.begin(), ticks.end(), Earlier);
  }
  size_t kept = 0;
  for (size_t i = 0; i < ticks.size(); ++i) {
    if (kept > 0 && ticks[kept - 1].time == ticks[i].time) {
      auto& samples = ticks[kept - 1].samples;
      samples.insert(samples.end(), ticks[i].samples.begin(),
                     ticks[i].samples.end());
      std::stable_sort(samples.begin(), samples.end(),
                       [](const wire::Sample& a, const wire::Sample& b) {
                         return a.series < b.series;
                       });
      samples.erase(
          std::unique(samples.begin(), samples.end(),
                      [](const wire::Sample& a, const wire::Sample& b) {
                        return a.series == b.series;
                      }),
          samples.end());
    } else {
      if (kept != i) ticks[kept] = std::move(ticks[i]);
      ++kept;
    }
  }
  ticks.resize(kept);
}

void Trim(absl::Time from, absl::Time to, std::vector<Sample>& samples) {
  const auto earlier = [](const Sample& a, const Sample& b) {
    return a.time < b.time;
  };
  // Mostly it is so already: one look tells.
  const bool strictly =
      std::adjacent_find(samples.begin(), samples.end(),
                         [](const Sample& a, const Sample& b) {
                           return !(a.time < b.time);
                         }) == samples.end();
  if (!strictly) {
    std::stable_sort(samples.begin(), samples.end(), earlier);
    samples.erase(std::unique(samples.begin(), samples.end(),
                              [](const Sample& a, const Sample& b) {
                                return a.time == b.time;
                              }),
                  samples.end());
  }
  samples.erase(
      std::lower_bound(samples.begin(), samples.end(), Sample{to, 0}, earlier),
      samples.end());
  samples.erase(samples.begin(),
                std::lower_bound(samples.begin(), samples.end(),
                                 Sample{from, 0}, earlier));
}

}  // namespace forewarn::history
