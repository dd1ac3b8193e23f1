#ifndef FOREWARN_TESTS_SUPPORT_FLAKY_HISTORY_H_
#define FOREWARN_TESTS_SUPPORT_FLAKY_HISTORY_H_

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "collector/history/history_store.h"

namespace forewarn::testing {

// A history that keeps nothing while told to fail, and passes all else on.
class FlakyHistory final : public history::HistoryStore {
 public:
  explicit FlakyHistory(history::HistoryStore& store) : store_(store) {}

  void Fail(bool failing) { failing_ = failing; }
  // Nothing of this endpoint can be read.
  void Damage(uint32_t endpoint) { damaged_ = endpoint; }
  int appends() const { return appends_; }

  absl::StatusOr<std::vector<history::SeriesRecord>> LoadSeries(
      uint32_t endpoint) override {
    if (endpoint == damaged_) return absl::DataLossError("checksum");
    return store_.LoadSeries(endpoint);
  }
  absl::Status Append(
      absl::Span<const std::pair<uint32_t, history::SeriesRecord>> new_series,
      absl::Span<const history::EndpointBatch> batches) override {
    if (failing_) return absl::ResourceExhaustedError("disk is full");
    ++appends_;
    return store_.Append(new_series, batches);
  }
  absl::StatusOr<uint64_t> HighWater(uint32_t endpoint,
                                     const wire::RunId& run) override {
    if (endpoint == damaged_) return absl::DataLossError("checksum");
    return store_.HighWater(endpoint, run);
  }
  absl::StatusOr<std::vector<history::Sample>> Query(uint32_t endpoint,
                                                     uint32_t series,
                                                     absl::Time from,
                                                     absl::Time to) override {
    return store_.Query(endpoint, series, from, to);
  }
  absl::StatusOr<std::vector<history::Rollup>> QueryRollups(
      uint32_t endpoint, uint32_t series, history::RollupLevel level,
      absl::Time from, absl::Time to) override {
    return store_.QueryRollups(endpoint, series, level, from, to);
  }
  absl::Status Replay(
      uint32_t endpoint, absl::Time from,
      const std::function<void(const wire::Tick&)>& accept) override {
    return store_.Replay(endpoint, from, accept);
  }
  absl::Status KeepState(uint32_t endpoint, absl::string_view state) override {
    if (failing_) return absl::ResourceExhaustedError("disk is full");
    return store_.KeepState(endpoint, state);
  }
  absl::StatusOr<std::string> LoadState(uint32_t endpoint) override {
    return store_.LoadState(endpoint);
  }
  absl::StatusOr<std::vector<v1::Event>> Events(uint32_t endpoint,
                                                absl::Time from, absl::Time to,
                                                size_t limit) override {
    return store_.Events(endpoint, from, to, limit);
  }
  absl::Status Maintain(absl::Time now) override {
    return store_.Maintain(now);
  }
  absl::Status Flush() override { return store_.Flush(); }

 private:
  history::HistoryStore& store_;
  std::atomic<bool> failing_ = false;
  std::atomic<uint32_t> damaged_ = 0;
  std::atomic<int> appends_ = 0;
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_FLAKY_HISTORY_H_
