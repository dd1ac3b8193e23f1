#ifndef FOREWARN_TESTS_BENCH_INGEST_LOAD_STREAMS_H_
#define FOREWARN_TESTS_BENCH_INGEST_LOAD_STREAMS_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/identity/key_store.h"
#include "agent/uplink/grpc_call.h"
#include "agent/uplink/tls_connection.h"
#include "protos/base/bell.h"
#include "protos/base/mutex.h"
#include "protos/wire/batch.h"

namespace forewarn::bench {

// Thousands of streams from one thread, as light as they can be: the agent's
// own HTTP/2 and TLS, batches coded beforehand. Connecting has threads of its
// own.
class LoadStreams {
 public:
  struct Options {
    std::string collector;  // host:port
    uint32_t window = 16;   // batches without acknowledgement, a stream
    int dialers = 16;
    // An agent's back-off; zero: try once more at once.
    absl::Duration first_wait = absl::Milliseconds(100);
    absl::Duration longest_wait = absl::Seconds(60);
  };

  LoadStreams(Options options, std::vector<agent::Identity> identities,
              std::vector<wire::RunId> runs);
  ~LoadStreams();

  // What a stream is to send, in order, whenever it may.
  void SetBatches(uint32_t stream, std::vector<std::string> batches);

  // Connects all and waits for every Welcome.
  absl::Status Connect(absl::Duration patience);

  // Sends each stream's batches up to `count` and waits for all acks. With
  // `pace`, one batch a stream in so long, evenly spread over the streams.
  absl::Status SendUpTo(uint32_t count, absl::Duration pace,
                        absl::Duration patience);

  // Sends the next batch of one stream and waits for its ack.
  absl::Status SendOne(uint32_t stream, absl::Duration patience);

  // Keeps the streams, answers what comes, for so long.
  void Idle(absl::Duration time);

  // A stream that ends is opened again by itself and goes on behind its last
  // ack. `rewind` is called then: the batches that follow, coded anew.
  void Reconnects(
      std::function<std::vector<std::string>(uint32_t stream, uint32_t acked)>
          rewind);

  uint32_t welcomed() const { return welcomed_; }
  uint64_t acked() const { return acked_; }
  // Of acks, from the batch's sending; milliseconds, in no order.
  std::vector<double>& latencies_ms() { return latencies_ms_; }
  // From `begin` to the first ack of a stream that was opened after it.
  double first_ack_s(absl::Time begin) const {
    return absl::ToDoubleSeconds(first_ack_ - begin);
  }
  // From a stream's Welcome to its next ack; milliseconds.
  std::vector<double>& admission_ms() { return admission_ms_; }
  // Of the connections that live, TLS and framing included.
  struct Bytes {
    uint64_t sent = 0;
    uint64_t received = 0;
  };
  Bytes bytes() const;
  const std::string& last_error() const { return last_error_; }

 private:
  struct Stream {
    agent::Identity identity;
    wire::RunId run;
    std::unique_ptr<agent::TlsConnection> connection;
    std::unique_ptr<agent::GrpcCall> call;
    std::string output;
    size_t output_begin = 0;
    bool wants_out = false;
    bool welcomed = false;
    uint64_t first_sequence = 1;  // of batches[0]
    std::vector<std::string> batches;
    uint32_t sent = 0;  // of batches
    uint32_t acked = 0;
    uint32_t limit = 0;  // may send so many
    std::deque<absl::Time> sent_at;
    absl::Time welcomed_at;
    bool awaits_first_ack = false;
    int failures = 0;
    absl::Time due;
  };

  void Dial();
  void Want(uint32_t stream, absl::Duration wait);
  void Adopt();
  void Turn(absl::Duration wait);
  void Serve(uint32_t index, uint32_t events);
  void Pump(uint32_t index);
  void Flush(uint32_t index);
  void Drop(uint32_t index, const std::string& why);
  void Take(Stream& stream, const std::string& bytes);

  const Options options_;
  std::vector<Stream> streams_;
  base::Descriptor epoll_;
  const base::Bell bell_;
  std::function<std::vector<std::string>(uint32_t, uint32_t)> rewind_;
  std::vector<double> latencies_ms_;
  std::vector<double> admission_ms_;
  std::atomic<uint32_t> welcomed_ = 0;
  uint64_t acked_ = 0;
  uint64_t wanted_ = 0;  // acks, so far
  std::string last_error_;
  absl::Time first_ack_ = absl::InfiniteFuture();
  std::vector<char> input_;

  struct Dialled {
    uint32_t stream = 0;
    std::unique_ptr<agent::TlsConnection> connection;  // null: it failed
    std::string error;
  };
  base::Mutex mutex_;
  base::CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<uint32_t> to_dial_ ABSL_GUARDED_BY(mutex_);
  std::deque<Dialled> dialled_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<absl::Time, uint32_t>> waiting_;  // heap by time
  std::vector<std::thread> dialers_;
};

}  // namespace forewarn::bench

#endif  // FOREWARN_TESTS_BENCH_INGEST_LOAD_STREAMS_H_
