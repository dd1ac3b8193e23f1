#ifndef FOREWARN_COLLECTOR_INGEST_OUTBOX_H_
#define FOREWARN_COLLECTOR_INGEST_OUTBOX_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/shard/stream_link.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/base/bell.h"
#include "protos/base/mutex.h"
#include "protos/wire/batch.h"

namespace forewarn::ingest {

// What other threads have to say on the streams of one port thread, with one
// wake-up for many words. Bounded by what shards say: one ack a batch, and a
// stream has at most twice its credits under way. Thread-safe.
class Outbox {
 public:
  struct Word {
    uint64_t connection = 0;
    // An ack, unless one of the others is set.
    wire::RunId run{};
    uint64_t sequence = 0;
    std::vector<wire::DroppedSample> dropped;
    std::optional<v1::CollectorMessage> message;
    std::optional<absl::Status> failure;
  };

  void Put(Word word);
  std::vector<Word> TakeAll();
  // Rings when there are words.
  const base::Bell& bell() const { return bell_; }

 private:
  const base::Bell bell_;
  base::Mutex mutex_;
  std::vector<Word> words_ ABSL_GUARDED_BY(mutex_);
};

// The shard's end of a stream.
class OutboxLink final : public shard::StreamLink {
 public:
  OutboxLink(std::shared_ptr<Outbox> outbox, uint64_t connection)
      : outbox_(std::move(outbox)), connection_(connection) {}

  void Acknowledge(const wire::RunId& run, uint64_t sequence,
                   std::vector<wire::DroppedSample> dropped) override;
  void SetPace(absl::Duration tick, absl::Duration lasting,
               absl::string_view reason) override;
  void Fail(const absl::Status& status) override;

 private:
  const std::shared_ptr<Outbox> outbox_;
  const uint64_t connection_;
};

}  // namespace forewarn::ingest

#endif  // FOREWARN_COLLECTOR_INGEST_OUTBOX_H_
