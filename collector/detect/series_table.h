#ifndef FOREWARN_COLLECTOR_DETECT_SERIES_TABLE_H_
#define FOREWARN_COLLECTOR_DETECT_SERIES_TABLE_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/detect/cadence.h"
#include "collector/detect/sample_window.h"
#include "protos/wire/series.h"

namespace forewarn::detect {

// A few points of the last hour, for people to look at: at most one a minute.
class RecentPoints {
 public:
  struct Point {
    uint32_t seconds = 0;  // Unix; good until 2106
    float value = 0;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.seconds, self.value);
    }
  };
  static constexpr size_t kPoints = 59;

  void Add(absl::Time time, double value);
  // Oldest first.
  std::vector<Point> All() const;

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.ring_, self.head_, self.next_seconds_);
  }

 private:
  std::vector<Point> ring_;
  uint32_t head_ = 0;
  // Not before: asked at every sample, so that the ring need not be touched.
  uint32_t next_seconds_ = 0;
};

// What is known of one series of an endpoint.
struct SeriesState {
  // What every sample touches stands together.
  Cadence cadence;
  double last = 0;
  bool defined = false;
  bool seen = false;
  std::vector<SampleWindow> windows;
  RecentPoints recent;
  wire::SeriesDefinition definition;
  std::string name;

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.cadence, self.last, self.seen, self.recent);
    archive.InPlace(self.windows);
  }
};

// All series of one endpoint, and who belongs to whom.
//
// Threads  thread-compatible.
class SeriesTable {
 public:
  // Numbers are dense from 0; a known number keeps its state.
  void Define(uint32_t series, const wire::SeriesDefinition& definition);
  // A window function will be asked of the series.
  void Watch(uint32_t series, absl::Duration window, WindowFunction function);
  // False for an unknown number or a value that is no number.
  bool Observe(absl::Time time, uint32_t series, double value);

  const SeriesState* Find(uint32_t series) const {
    return series < states_.size() ? &states_[series] : nullptr;
  }
  // By name, so that the choice among several does not hang on the order in
  // which an agent named them.
  const std::vector<uint32_t>& OfMetric(absl::string_view metric) const;

  uint32_t size() const { return static_cast<uint32_t>(states_.size()); }
  // Grows with every definition.
  uint32_t generation() const { return generation_; }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive.InPlace(self.states_);
  }

 private:
  std::deque<SeriesState> states_;
  absl::flat_hash_map<std::string, std::vector<uint32_t>> by_metric_;
  uint32_t generation_ = 0;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_SERIES_TABLE_H_
