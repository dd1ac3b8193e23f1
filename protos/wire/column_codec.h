#ifndef FOREWARN_PROTOS_WIRE_COLUMN_CODEC_H_
#define FOREWARN_PROTOS_WIRE_COLUMN_CODEC_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace forewarn::wire {

// How values become bytes (docs/formats/wire.md): a series with decimal
// digits is an integer, coded as the zig-zag varint of its difference to the
// value before; a series of all bits is XORed with the value before, the
// result byte-reversed and coded as a varint, so that few changed mantissa
// bits cost few bytes. What does not fit 62 bits as an integer, and NaN, is
// coded as an escape.

// The value before, one a series. Both ends keep the same.
struct ColumnState {
  int64_t integer = 0;
  uint64_t bits = 0;
};

// Small numbers of either sign as small unsigned ones, as protobuf's sint64.
inline uint64_t ZigZag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^
         static_cast<uint64_t>(value >> 63);
}
inline int64_t UnZigZag(uint64_t code) {
  return static_cast<int64_t>(code >> 1) ^ -static_cast<int64_t>(code & 1);
}

void AppendVarint(uint64_t value, std::string& out);
// kDataLoss when truncated or longer than 10 bytes. Moves `in` on.
absl::Status ReadVarint(absl::string_view& in, uint64_t& value);

// Appends `value` and moves `state` on.
void EncodeValue(double value, uint32_t digits, ColumnState& state,
                 std::string& out);

// Reads one value and moves `in` and `state` on. kDataLoss on bad bytes.
absl::Status DecodeValue(absl::string_view& in, uint32_t digits,
                         ColumnState& state, double& value);

// `value` as a reader of the coded series sees it: rounded to its digits.
double Quantise(double value, uint32_t digits);

}  // namespace forewarn::wire

#endif  // FOREWARN_PROTOS_WIRE_COLUMN_CODEC_H_
