#include "collector/detect/series_table.h"

#include <algorithm>
#include <cmath>

namespace forewarn::detect {
namespace {

constexpr int64_t kSpacingSeconds = 60;

}  // namespace

void RecentPoints::Add(absl::Time time, double value) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  if (seconds < next_seconds_) return;
  next_seconds_ = static_cast<uint32_t>(seconds + kSpacingSeconds);
  const Point point{static_cast<uint32_t>(seconds), static_cast<float>(value)};
  if (ring_.size() < kPoints) {
    ring_.push_back(point);
  } else {
    ring_[head_] = point;
    head_ = head_ + 1 < kPoints ? head_ + 1 : 0;
  }
}

std::vector<RecentPoints::Point> RecentPoints::All() const {
  std::vector<Point> points(ring_);
  std::rotate(points.begin(), points.begin() + head_, points.end());
  return points;
}

void SeriesTable::Define(uint32_t series,
                         const wire::SeriesDefinition& definition) {
  while (states_.size() <= series) states_.emplace_back();
  SeriesState& state = states_[series];
  if (state.defined) return;
  state.defined = true;
  state.definition = definition;
  state.name = wire::SeriesName(definition.metric, definition.attributes);
  std::vector<uint32_t>& same = by_metric_[definition.metric];
  same.insert(std::upper_bound(same.begin(), same.end(), series,
                               [this](uint32_t a, uint32_t b) {
                                 return states_[a].name < states_[b].name;
                               }),
              series);
  ++generation_;
}

void SeriesTable::Watch(uint32_t series, absl::Duration window,
                        WindowFunction function) {
  std::vector<SampleWindow>& windows = states_[series].windows;
  auto known = std::find_if(
      windows.begin(), windows.end(),
      [&](const SampleWindow& one) { return one.window() == window; });
  if (known == windows.end()) {
    known = windows.insert(known, SampleWindow(window));
  }
  known->Need(function);
}

bool SeriesTable::Observe(absl::Time time, uint32_t series, double value) {
  if (series >= states_.size() || !std::isfinite(value)) return false;
  SeriesState& state = states_[series];
  if (!state.defined) return false;
  const absl::Duration covered = state.cadence.Observe(time);
  state.last = value;
  state.seen = true;
  for (SampleWindow& window : state.windows) {
    window.Add(time, value, covered);
  }
  state.recent.Add(time, value);
  return true;
}

const std::vector<uint32_t>& SeriesTable::OfMetric(
    absl::string_view metric) const {
  static const auto& none = *new std::vector<uint32_t>();
  const auto it = by_metric_.find(metric);
  return it == by_metric_.end() ? none : it->second;
}

}  // namespace forewarn::detect
