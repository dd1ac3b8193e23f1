#ifndef FOREWARN_COLLECTOR_HISTORY_OPEN_BLOCK_H_
#define FOREWARN_COLLECTOR_HISTORY_OPEN_BLOCK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "protos/wire/batch.h"
#include "protos/wire/column_codec.h"

namespace forewarn::history {

// The newest ticks of one endpoint, row by row as they arrive and as the
// append log holds them too; a value is coded as its difference to the one
// before. docs/formats/history.md. Thread-compatible.
class OpenBlock {
 public:
  // Codes the ticks of one batch. `reset`: without reference to what was
  // before. Returns their rows, a view that the next call ends.
  absl::string_view Append(absl::Span<const wire::Tick> ticks,
                           absl::Span<const uint8_t> digits, bool reset);

  // Takes back what was added since the mark; what comes next is coded
  // without reference.
  struct Mark {
    size_t bytes = 0;
    uint32_t ticks = 0;
  };
  Mark mark() const { return {rows_.size(), ticks_}; }
  void Rollback(const Mark& mark);

  // Takes rows that were coded before, from the log.
  void AppendRows(absl::string_view rows, uint32_t ticks);

  // Appends all ticks, in the order they came. kDataLoss.
  absl::Status Read(absl::Span<const uint8_t> digits,
                    std::vector<wire::Tick>& ticks) const;

  void Clear();

  bool empty() const { return ticks_ == 0; }
  uint32_t ticks() const { return ticks_; }
  // Whether rows begin without reference to what is before them.
  static bool IsReset(absl::string_view rows) {
    return !rows.empty() && (rows.front() & 1) != 0;
  }

 private:
  std::string rows_;
  std::vector<wire::ColumnState> states_;  // by series
  std::vector<std::pair<uint32_t, double>> ordered_;
  int64_t last_ms_ = 0;
  uint32_t ticks_ = 0;
  bool follows_ = false;  // the states are those of the last row
};

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_OPEN_BLOCK_H_
