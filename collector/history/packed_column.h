#ifndef FOREWARN_COLLECTOR_HISTORY_PACKED_COLUMN_H_
#define FOREWARN_COLLECTOR_HISTORY_PACKED_COLUMN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace forewarn::history {

// A run of values of one series in as few bits as is quick: made integers
// exactly, by the series' decimal digits or by the smallest common power of
// two; differences to the value before, or to the least; divided by their
// greatest common divisor; packed in groups of 32, each as wide as its widest.
// docs/formats/history.md has the bytes.
//
// Source  frame of reference: J. Goldstein et al., Compressing Relations and
//         Indexes, ICDE 1998.
// Cost    some 10 ns a value each way.

// Appends to `out`. `digits` as in wire::SeriesDefinition.
void PackValues(absl::Span<const double> values, uint32_t digits,
                std::string& out);

// Appends `count` values. kDataLoss when the bytes make no sense or are left
// over.
absl::Status UnpackValues(absl::string_view bytes, size_t count,
                          uint32_t digits, std::vector<double>& values);

// The same for integers of any sign within 2^61. Unpacking moves `bytes` on.
void PackIntegers(absl::Span<const int64_t> integers, std::string& out);
absl::Status UnpackIntegers(absl::string_view& bytes, size_t count,
                            std::vector<int64_t>& integers);

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_PACKED_COLUMN_H_
