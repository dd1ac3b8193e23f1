#ifndef FOREWARN_AGENT_SPOOL_SPOOL_RECORD_H_
#define FOREWARN_AGENT_SPOOL_SPOOL_RECORD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protos/wire/batch.h"
#include "protos/wire/series.h"

namespace forewarn::agent {

// A batch with the definitions that its samples' numbers point to.
struct WholeBatch {
  wire::Batch batch;
  std::vector<wire::SeriesDefinition> definitions;
};

// What a record says before it is unpacked.
struct RecordSummary {
  wire::RunId run{};
  uint64_t sequence = 0;
  uint32_t samples = 0;
  absl::Time from;
  absl::Time to;
};

RecordSummary Summarise(const wire::Batch& batch);

// One batch as docs/formats/spool.md has it, decodable alone.
std::string EncodeRecord(const wire::Batch& batch,
                         const wire::SeriesDictionary& dictionary);

// kDataLoss for what is none, or is of a later version.
absl::StatusOr<RecordSummary> ReadSummary(absl::string_view record);
absl::StatusOr<WholeBatch> DecodeRecord(absl::string_view record);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SPOOL_SPOOL_RECORD_H_
