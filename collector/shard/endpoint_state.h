#ifndef FOREWARN_COLLECTOR_SHARD_ENDPOINT_STATE_H_
#define FOREWARN_COLLECTOR_SHARD_ENDPOINT_STATE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "collector/detect/endpoint_judge.h"
#include "collector/detect/endpoint_profile.h"
#include "collector/detect/rule_set.h"
#include "collector/detect/silence_detector.h"
#include "collector/detect/symptom.h"
#include "collector/history/history_store.h"
#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::shard {

// All that a shard keeps of one endpoint: its series' numbers, its judge, the
// silence detector, and what goes into evidence beside numbers. Bounded by
// `series_limit`. Used by the shard's thread only.
class EndpointState final : public detect::SymptomSink {
 public:
  struct Options {
    detect::SilenceOptions silence;
    absl::Duration warm_up = absl::Hours(24);
    absl::Duration checkpoint_every = absl::Hours(1);
    uint32_t series_limit = 5000;
    detect::PeerBoard* peers = nullptr;  // of all shards; outlives them
  };

  // All references must outlive it. `symptoms` gets the edges, enriched.
  EndpointState(uint32_t number, detect::EndpointProfile profile,
                const detect::RuleSet& rules, history::HistoryStore& history,
                detect::SymptomSink& symptoms, const Options& options);
  ~EndpointState() override;

  // Learns which number each series has; before any of them is asked for, or
  // samples would go under other names. Once; the history's error.
  absl::Status Know();

  // Brings the detectors to where they were: from their last checkpoint and
  // what the history has since then; from `warm_up` of history where there is
  // none, or a damaged one. Without edges; then tells the sink what stands.
  // Once; later calls do nothing. What is appended until then must be durable.
  absl::Status WarmUp(absl::Time now);
  // Until then Judge must not be called.
  bool warm() const { return warm_; }

  // A backlog came behind what is new, which was judged first, and seems to be
  // complete. Forgets what the detectors learnt without it: WarmUp then learns
  // anew, from history alone.
  bool LearnAnewAfterBacklog(absl::Time now);

  // Saves the detectors' state. What was judged must be durable.
  absl::Status Checkpoint();
  // The last one is over `checkpoint_every` of samples old.
  bool checkpoint_due() const {
    return warm_ && overtaken_at_ == absl::InfiniteFuture() &&
           judge_->now() >= next_checkpoint_;
  }

  // The endpoint's number of a series, a new one on first sight; kNoSeries
  // beyond the limit. After Know.
  static constexpr uint32_t kNoSeries = ~uint32_t{0};
  uint32_t Number(const wire::SeriesDefinition& definition);
  // New series that are not durable yet; the next write must take them along.
  const std::vector<history::SeriesRecord>& unsaved() const { return unsaved_; }
  void MarkSaved() { unsaved_.clear(); }

  // Judges a batch that came at `now`; series carry the endpoint's numbers.
  void Judge(const wire::Batch& batch, absl::Time now);

  void SetProfile(detect::EndpointProfile profile);
  detect::SilenceDetector& silence() { return silence_; }
  uint32_t number() const { return number_; }
  uint32_t series_count() const {
    return static_cast<uint32_t>(series_.size());
  }
  const std::string& id() const { return profile_.id; }

  // Called for every symptom that opens at P2 or above.
  void OnUrgent(std::function<void()> urgent) { urgent_ = std::move(urgent); }

  void Accept(detect::SymptomEdge edge) override;

 private:
  absl::Status Restore(absl::Time now);
  void Note(v1::Event event);
  std::unique_ptr<detect::EndpointJudge> MakeJudge(
      const std::vector<history::SeriesRecord>& known);

  const uint32_t number_;
  detect::EndpointProfile profile_;
  const detect::RuleSet& rules_;
  history::HistoryStore& history_;
  detect::SymptomSink& symptoms_;
  const Options options_;
  std::unique_ptr<detect::EndpointJudge> judge_;
  detect::SilenceDetector silence_;
  absl::flat_hash_map<std::string, uint32_t> series_;
  uint32_t next_series_ = 0;  // a repair may have left holes
  std::vector<history::SeriesRecord> unsaved_;
  v1::ProcessSnapshot processes_;
  std::deque<v1::Event> events_;  // newest first, bounded
  std::function<void()> urgent_;
  absl::Time saved_at_ = absl::InfinitePast();  // in samples' time
  absl::Time next_checkpoint_ = absl::InfinitePast();
  // When a sample last came that was older than what was judged.
  absl::Time overtaken_at_ = absl::InfiniteFuture();
  bool checkpoint_lacks_backlog_ = false;
  bool known_ = false;
  bool warm_ = false;
  bool muted_ = false;
  bool learns_anew_ = false;  // without a checkpoint to start from
};

}  // namespace forewarn::shard

#endif  // FOREWARN_COLLECTOR_SHARD_ENDPOINT_STATE_H_
