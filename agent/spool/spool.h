#ifndef FOREWARN_AGENT_SPOOL_SPOOL_H_
#define FOREWARN_AGENT_SPOOL_SPOOL_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/spool/spool_folder.h"
#include "agent/spool/spool_record.h"
#include "protos/base/files.h"
#include "protos/base/mutex.h"
#include "protos/wire/batch.h"
#include "protos/wire/series.h"

namespace forewarn::agent {

// The ordered, byte-bound queue of batches that no collector has acknowledged
// yet: in memory while one acknowledges, on disk (docs/formats/spool.md) while
// none does. Damage and a full or broken disk cost batches, which are counted
// and told as a Gap, never the agent.
//
// Thread-safe. The lock is held over file operations: their order is what it
// guards.
class Spool {
 public:
  struct Options {
    std::string folder;
    uint64_t limit_bytes = uint64_t{64} << 20;
    // Unacknowledged batches beyond this go to disk, collector or not.
    uint64_t memory_bytes = uint64_t{256} << 10;
  };

  struct Totals {
    uint64_t bytes = 0;  // disk and memory
    uint64_t limit_bytes = 0;
    uint64_t batches = 0;
    uint64_t dropped_samples = 0;
    uint64_t damaged_bytes = 0;
    absl::Status disk;  // of the last attempt to write
  };

  // A batch and its place in the queue. Positions grow, with holes.
  struct Entry {
    uint64_t position = 0;
    WholeBatch whole;
  };

  // Takes up what is in the folder. `run`: of this agent start. `files` must
  // outlive it.
  Spool(base::Files& files, Options options, const wire::RunId& run);

  // Gives the batch its run and sequence and queues it. Drops the oldest when
  // over the limit.
  void Append(wire::Batch batch, const wire::SeriesDictionary& dictionary);

  // What is appended from now on is of `run`, so that it can be sent and
  // acknowledged before what waits. Returns the position it begins at.
  uint64_t BeginRun(const wire::RunId& run);

  // How many batches no collector has acknowledged.
  uint64_t backlog();

  // The oldest batch at or after `position` that is not acknowledged.
  std::optional<Entry> Peek(uint64_t position);

  // Everything of `run` up to `sequence` is durable elsewhere.
  void AckThrough(const wire::RunId& run, uint64_t sequence);

  // Gives up one batch that no collector takes, counted and told as a Gap.
  void Drop(const wire::RunId& run, uint64_t sequence,
            absl::string_view reason);

  // Whether a collector acknowledges. Without one, all goes to disk.
  void SetConnected(bool connected);

  // Writes all that waits in memory.
  absl::Status Flush();

  // Of what is appended now.
  wire::RunId run() const;
  Totals totals() const;

 private:
  struct Waiting {
    uint64_t position = 0;
    RecordSummary summary;
    std::string record;
  };
  using Key = std::pair<wire::RunId, uint64_t>;

  void AppendLocked(wire::Batch batch, const wire::SeriesDictionary& dictionary)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteOut() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteWaiting(size_t& synced)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetFailedWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom(uint64_t needed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BoundMemory() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldestSegment() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldestWaiting(absl::string_view reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Tells of a record that is given up, and of the gaps that it told of.
  void TellDropped(const RecordSummary& summary, absl::string_view record,
                   absl::string_view reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellGap(const v1::Gap& gap) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsDone(const RecordSummary& summary) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsDone(Segment& segment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReleaseDone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveFrontSegment() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // nullptr when it cannot be read.
  const LoadedSegment* Load(Segment& segment)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Entry> PeekSegments(uint64_t position)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Entry> Unpack(uint64_t position, const RecordSummary& summary,
                              absl::string_view record)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const uint64_t segment_bytes_;

  mutable base::Mutex mutex_;
  wire::RunId run_ ABSL_GUARDED_BY(mutex_);
  SpoolFolder folder_ ABSL_GUARDED_BY(mutex_);
  std::deque<Segment> segments_ ABSL_GUARDED_BY(mutex_);
  uint64_t disk_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_number_ ABSL_GUARDED_BY(mutex_) = 1;
  // Writes the last segment, while it is open.
  std::unique_ptr<base::RecordWriter> writer_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<LoadedSegment> loaded_ ABSL_GUARDED_BY(mutex_);
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  uint64_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_position_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_record_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<wire::RunId, uint64_t> acked_ ABSL_GUARDED_BY(mutex_);
  // Given up, not yet passed by an acknowledgement; few.
  std::set<Key> given_up_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::Gap> gaps_ ABSL_GUARDED_BY(mutex_);
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;
  Totals totals_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SPOOL_SPOOL_H_
