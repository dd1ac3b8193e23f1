#ifndef FOREWARN_COLLECTOR_DETECT_PEER_DETECTOR_H_
#define FOREWARN_COLLECTOR_DETECT_PEER_DETECTOR_H_

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "collector/detect/endpoint_profile.h"
#include "collector/detect/peer_board.h"
#include "forewarn/v1/desk.pb.h"
#include "protos/wire/batch.h"
#include "protos/wire/series.h"

namespace forewarn::detect {

// One endpoint against its cohort at the same moment: what changed on this one
// and not on the others.
//
// Of a dozen metrics the mean of five minutes goes on the board, the endpoint's
// worst series of each. A bucket later, when all have told, the distance from
// the cohort's median is taken. Machines differ, so the distance is compared
// with this endpoint's own usual distance and with how much that varies: what
// moves all moves the median, and a mixed cohort only makes a constant of the
// difference. Three buckets on end far beyond, and by an amount that matters,
// are a finding. The residual against a robust centre is common practice; the
// limits are chosen.
//
// Threads  thread-compatible; the board is shared.
class PeerDetector {
 public:
  // `board` must outlive it; null: it does nothing.
  explicit PeerDetector(PeerBoard* board) : board_(board) {}

  void SetProfile(const EndpointProfile& profile);
  void Define(uint32_t series, const wire::SeriesDefinition& definition);
  // All samples of one moment.
  void Observe(absl::Time time, absl::Span<const wire::Sample> samples);
  // The same, and only tells the others.
  void Tell(absl::Time time, absl::Span<const wire::Sample> samples);
  // Whether any series is compared at all.
  bool Compares() const { return board_ != nullptr && compares_; }

  struct Finding {
    size_t metric = 0;
    uint32_t series = 0;  // the one that it was worst on
    v1::Priority priority = v1::INFO;
    float value = 0;
    float peers = 0;  // the cohort's median
    float limit = 0;  // beyond which the value is odd
    uint32_t members = 0;
    double score = 0;  // 0 to 1
    absl::Time since;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.metric, self.series, self.priority, self.value, self.peers,
              self.limit, self.members, self.score, self.since);
    }
  };
  // What stands after the last tick, by metric; `changed` since the one
  // before.
  const std::vector<Finding>& findings() const { return findings_; }
  bool changed() const { return changed_; }

  template <typename Self, typename Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.bucket_, self.finished_, self.findings_);
    archive.InPlace(self.states_);
  }

 private:
  struct State {  // of one metric
    float sum = 0;
    uint32_t count = 0;
    uint32_t series = 0;         // worst in the last tick
    uint32_t series_before = 0;  // and of the bucket before
    float before =
        std::numeric_limits<float>::quiet_NaN();  // mean, last bucket
    float offset = 0;
    float spread = 0;
    uint32_t seen = 0;  // buckets
    uint32_t far = 0;   // buckets on end
    uint32_t near = 0;
    bool stands = false;
    absl::Time first = absl::InfiniteFuture();
    absl::Time since;

    template <typename Self, typename Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.sum, self.count, self.series, self.series_before,
              self.before, self.offset, self.spread, self.seen, self.far,
              self.near, self.stands, self.first, self.since);
    }
  };

  void Gather(absl::Span<const wire::Sample> samples);
  void Finish(int64_t next);
  void Judge(int64_t bucket);
  void Compare(size_t metric, float value, const PeerBoard::Centre& centre,
               absl::Time at, std::vector<Finding>& findings);

  PeerBoard* const board_;
  std::array<std::string, 2> cohorts_;  // by kind
  uint64_t endpoint_ = 0;
  bool compares_ = false;
  std::vector<uint8_t> metric_of_;  // by series; kMetrics: none
  int64_t bucket_ = -1;             // being filled
  int64_t finished_ = -1;           // the one whose means are in `before`
  std::array<State, PeerBoard::kMetrics> states_;
  std::vector<Finding> findings_;
  bool changed_ = false;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_PEER_DETECTOR_H_
