#ifndef FOREWARN_COLLECTOR_HISTORY_SEALED_BLOCK_H_
#define FOREWARN_COLLECTOR_HISTORY_SEALED_BLOCK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "collector/history/history_store.h"
#include "protos/wire/batch.h"

namespace forewarn::history {

// Some ticks of one endpoint in their lasting form: the times once, then one
// packed column a series, each to be read without the others.
// docs/formats/history.md.

// `ticks` oldest first; `digits` by series number.
std::string SealBlock(absl::Span<const wire::Tick> ticks,
                      absl::Span<const uint8_t> digits);

// Reads a block; `bytes` must outlive it. All errors are kDataLoss.
class SealedBlock {
 public:
  static absl::StatusOr<SealedBlock> Open(absl::string_view bytes);

  absl::Time first() const { return absl::FromUnixMillis(times_.front()); }
  absl::Time last() const { return absl::FromUnixMillis(times_.back()); }

  // Above the numbers of all series in it.
  uint32_t series_end() const {
    return columns_.empty() ? 0 : columns_.back().series + 1;
  }

  // Appends the samples of one series, oldest first; none when the block has
  // none of it.
  absl::Status Read(uint32_t series, uint32_t digits,
                    std::vector<Sample>& samples) const;

  // Appends all ticks, oldest first.
  absl::Status ReadAll(absl::Span<const uint8_t> digits,
                       std::vector<wire::Tick>& ticks) const;

 private:
  struct Column {
    uint32_t series = 0;
    absl::string_view bytes;
  };

  // Values of a column and the numbers of their ticks.
  absl::Status Unpack(const Column& column, uint32_t digits,
                      std::vector<double>& values,
                      std::vector<uint32_t>& ticks) const;

  std::vector<int64_t> times_;  // Unix milliseconds, at least one
  std::vector<Column> columns_;
};

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_SEALED_BLOCK_H_
