#ifndef FOREWARN_COLLECTOR_SHARD_STREAM_LINK_H_
#define FOREWARN_COLLECTOR_SHARD_STREAM_LINK_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protos/wire/batch.h"
#include "protos/wire/batch_codec.h"

namespace forewarn::shard {

// What a shard may say back to the stream a batch came by; collector/ingest
// implements it. All calls are quick, thread-safe and harmless once the
// stream has ended.
class StreamLink {
 public:
  virtual ~StreamLink() = default;

  // Everything of `run` up to `sequence` is durable.
  virtual void Acknowledge(const wire::RunId& run, uint64_t sequence,
                           std::vector<wire::DroppedSample> dropped) = 0;
  // Asks for another tick for a while.
  virtual void SetPace(absl::Duration tick, absl::Duration lasting,
                       absl::string_view reason) = 0;
  // Ends the stream; nothing of it that was not acknowledged was kept.
  virtual void Fail(const absl::Status& status) = 0;
};

}  // namespace forewarn::shard

#endif  // FOREWARN_COLLECTOR_SHARD_STREAM_LINK_H_
