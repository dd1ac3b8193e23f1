#ifndef FOREWARN_COLLECTOR_HISTORY_LOG_ENTRY_H_
#define FOREWARN_COLLECTOR_HISTORY_LOG_ENTRY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "collector/history/history_store.h"
#include "protos/wire/batch.h"

namespace forewarn::history {

// A record of the append log is a row of entries: docs/formats/history.md.

// A batch as the log has it; views into the record.
struct BatchEntry {
  uint32_t endpoint = 0;
  uint64_t order = 0;  // of the endpoint's entries, dense from 1
  wire::RunId run{};
  uint64_t sequence = 0;
  uint32_t ticks = 0;
  absl::string_view rows;                 // of OpenBlock
  std::vector<absl::string_view> events;  // serialized
};

struct SeriesEntry {
  uint32_t endpoint = 0;
  uint32_t series = 0;
  absl::string_view definition;  // serialized
};

void AppendEntry(const BatchEntry& entry, std::string& record);
void AppendEntry(const SeriesEntry& entry, std::string& record);

// Reads a record entry by entry.
class EntryReader {
 public:
  explicit EntryReader(absl::string_view record) : rest_(record) {}

  enum class Kind { kEnd, kSeries, kBatch };
  // Fills the one of the two that came. kDataLoss.
  absl::StatusOr<Kind> Next(SeriesEntry& series, BatchEntry& batch);

 private:
  absl::string_view rest_;
};

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_LOG_ENTRY_H_
