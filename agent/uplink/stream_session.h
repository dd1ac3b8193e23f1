#ifndef FOREWARN_AGENT_UPLINK_STREAM_SESSION_H_
#define FOREWARN_AGENT_UPLINK_STREAM_SESSION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "agent/spool/spool.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/wire/batch_codec.h"
#include "protos/wire/series.h"

namespace forewarn::agent {

// What is said on one stream, without the stream: which batch goes next,
// within the credits, and what the collector's messages mean. Thread-
// compatible: the uplink's thread.
class StreamSession {
 public:
  using BatchKey = std::pair<wire::RunId, uint64_t>;

  struct Options {
    // Series a stream; a collector takes no more by default.
    uint32_t max_series = 5000;
    // Batches without acknowledgement, whatever the collector allows.
    uint32_t max_window = 256;
    // The collector asks for another tick; zero `lasting`: until told again.
    std::function<void(absl::Duration tick, absl::Duration lasting)> on_pace =
        {};
    // Draws a run. Given it, what is new goes before a backlog, as a run of
    // its own; else the oldest goes first, always.
    std::function<wire::RunId()> new_run = {};
    // So many batches make a backlog; fewer go in one breath.
    uint32_t backlog = 64;
  };

  // `spool` must outlive it.
  StreamSession(Spool& spool, Options options);

  // Welcome, Ack, Pace; anything else is of a later collector and ignored.
  void Receive(const v1::CollectorMessage& message);

  // The next batch to write; false when there is none, no credit is left, or
  // the stream knows too many series.
  bool Next(v1::AgentMessage& out);

  bool welcomed() const { return welcomed_; }
  // Collector's clock minus `now` when it was heard.
  absl::Time collector_clock() const { return collector_clock_; }
  uint64_t acks() const { return acks_; }
  uint64_t rejected_samples() const { return rejected_samples_; }
  // No batch waits for its acknowledgement.
  bool settled() const { return in_flight_.empty(); }
  // The oldest that does.
  std::optional<BatchKey> first_unacked() const;
  // A new stream is needed, to begin with an empty table of series.
  bool exhausted() const { return exhausted_; }

 private:
  void ReceiveWelcome(const v1::Welcome& welcome);
  void ReceiveAck(const v1::Ack& ack);
  std::optional<Spool::Entry> PeekNext();

  Spool& spool_;
  const Options options_;
  wire::SeriesDictionary dictionary_;
  wire::BatchEncoder encoder_{&dictionary_};
  const wire::RunId hello_run_;
  std::deque<BatchKey> in_flight_;
  uint64_t next_position_ = 0;
  // Where what is new begins, before a backlog; the backlog's next.
  uint64_t live_from_ = 0;
  uint64_t next_backlog_ = 0;
  uint32_t window_ = 0;
  bool welcomed_ = false;
  bool exhausted_ = false;
  absl::Time collector_clock_;
  uint64_t acks_ = 0;
  uint64_t sent_ = 0;
  uint64_t rejected_samples_ = 0;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_UPLINK_STREAM_SESSION_H_
