#ifndef FOREWARN_COLLECTOR_SHARD_SHARD_H_
#define FOREWARN_COLLECTOR_SHARD_SHARD_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "collector/detect/endpoint_profile.h"
#include "collector/detect/rule_set.h"
#include "collector/detect/symptom.h"
#include "collector/fleet/endpoint_registry.h"
#include "collector/history/history_store.h"
#include "collector/metrics/self_metrics.h"
#include "collector/shard/endpoint_state.h"
#include "collector/shard/stream_link.h"
#include "forewarn/v1/fleet.pb.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/base/bounded_queue.h"
#include "protos/base/clock.h"
#include "protos/base/deadline.h"
#include "protos/wire/batch.h"
#include "protos/wire/batch_codec.h"
#include "protos/wire/series.h"

namespace forewarn::shard {

// What goes into a shard's mailbox. Messages of one stream come in order.
struct EndpointKnown {  // at the collector's start, for every endpoint
  uint32_t endpoint = 0;
  detect::EndpointProfile profile;
  v1::Presence presence = v1::PRESENCE_UNSPECIFIED;
  absl::Time last_seen;
};
struct StreamOpened {
  uint64_t stream = 0;
  uint32_t endpoint = 0;
  detect::EndpointProfile profile;
  std::shared_ptr<StreamLink> link;  // lives as long as stream or shard use it
};
struct BatchArrived {
  uint64_t stream = 0;
  std::vector<wire::SeriesDefinition> definitions;  // new on this stream
  wire::Batch batch;                                // carries stream ids
  std::vector<wire::DroppedSample> dropped;
};
struct GoodbyeSaid {
  uint64_t stream = 0;
  v1::Goodbye::Reason reason = v1::Goodbye::REASON_UNSPECIFIED;
};
struct StreamClosed {
  uint64_t stream = 0;
};
using Message = std::variant<EndpointKnown, StreamOpened, BatchArrived,
                             GoodbyeSaid, StreamClosed>;

// One thread that owns its endpoints: what gathers in the mailbox is judged at
// once, and soon made durable in a group commit and acknowledged. A verdict on
// a batch that a crash takes back is found again when the batch is sent again.
// No lock on the way of a sample but the mailbox's.
class Shard {
 public:
  struct Options {
    int index = 0;
    size_t mailbox = 4096;
    // After the first message of a lull so long is waited for more, unless
    // there are `enough`: one wake-up for all of them.
    absl::Duration gather = absl::Milliseconds(20);
    // What was judged waits so long for more, unless there is `enough`: one
    // sync, and one word to the port, for all of it.
    absl::Duration commit = absl::Milliseconds(200);
    size_t enough = 256;
    // So much of a turn may go into bringing back detectors, or saving them.
    absl::Duration aside = absl::Milliseconds(50);
    EndpointState::Options endpoint;
    absl::Duration burst_tick = absl::Seconds(2);
    absl::Duration burst = absl::Minutes(3);
  };

  // All references must outlive it.
  Shard(const Options& options, const detect::RuleSet& rules,
        history::HistoryStore& history, fleet::EndpointRegistry& registry,
        detect::SymptomSink& symptoms, metrics::SelfMetrics& metrics,
        base::Clock& clock);
  ~Shard();

  void Start();
  // Works off the mailbox, then ends the thread.
  void Stop();

  // Waits while the mailbox is full. Thread-safe.
  void Post(Message message) { mailbox_.Push(std::move(message)); }

 private:
  struct Stream {
    EndpointState* endpoint = nullptr;
    std::shared_ptr<StreamLink> link;
    std::vector<uint32_t> numbers;  // endpoint's series by stream id
  };
  struct Pending {
    uint64_t stream = 0;
    wire::Batch batch;
    std::vector<wire::DroppedSample> dropped;
    bool repeated = false;  // the history has it already
  };

  void Run();
  void Handle(EndpointKnown&& known);
  void Handle(StreamOpened&& opened);
  void Handle(BatchArrived&& arrived);
  void Handle(GoodbyeSaid&& goodbye);
  void Handle(StreamClosed&& closed);
  void Commit();
  static void CannotKeep(const EndpointState& endpoint,
                         const absl::Status& status, StreamLink& link);
  void WarmUp(EndpointState& endpoint);
  void WarmSome();
  void Checkpoint(EndpointState& endpoint);
  void CheckpointSome();
  void CheckSilence();
  EndpointState& StateOf(uint32_t endpoint,
                         const detect::EndpointProfile& profile);
  void NotePresence(EndpointState& endpoint);
  // Wall time at the start plus what has passed since: grows only.
  absl::Time Now() const;

  const Options options_;
  const detect::RuleSet& rules_;
  history::HistoryStore& history_;
  fleet::EndpointRegistry& registry_;
  detect::SymptomSink& symptoms_;
  metrics::SelfMetrics& metrics_;
  base::Clock& clock_;
  const absl::Time started_wall_;
  const absl::Duration started_boot_;

  base::BoundedQueue<Message> mailbox_;
  std::thread thread_;

  // Of the thread.
  absl::flat_hash_map<uint32_t, std::unique_ptr<EndpointState>> endpoints_;
  absl::flat_hash_map<uint32_t, v1::Presence> presence_;
  absl::flat_hash_map<uint64_t, Stream> streams_;
  std::vector<Pending> pending_;
  // Stream, but are not judged yet: their detectors are to be brought back.
  std::deque<EndpointState*> cold_;
  base::Deadline turn_{absl::ZeroDuration()};
  // When the first of them must be committed. Real time: it only joins work,
  // and decides nothing.
  std::chrono::steady_clock::time_point commit_due_;
  absl::Time next_check_ = absl::InfinitePast();
};

}  // namespace forewarn::shard

#endif  // FOREWARN_COLLECTOR_SHARD_SHARD_H_
