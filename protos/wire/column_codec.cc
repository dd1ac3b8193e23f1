#include "protos/wire/column_codec.h"

#include <bit>
#include <cmath>

namespace forewarn::wire {
namespace {

constexpr double kPowersOfTen[] = {1e0, 1e1, 1e2, 1e3, 1e4,
                                   1e5, 1e6, 1e7, 1e8, 1e9};
constexpr uint32_t kAllBitsDigits = 255;

// Scaled values beyond this go the long way, so that a difference always
// fits 63 bits and the zig-zag code never meets the escape.
constexpr double kLargestScaled = 4e18;
// No zig-zag code of a legal difference has all bits set.
constexpr uint64_t kEscape = ~uint64_t{0};

void AppendBits(uint64_t bits, std::string& out) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(bits >> (8 * i));
}

}  // namespace

void AppendVarint(uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

absl::Status ReadVarint(absl::string_view& in, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < in.size() && i < 10; ++i) {
    const auto byte = static_cast<uint8_t>(in[i]);
    if (i == 9 && byte > 1) break;  // more than 64 bits
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      in.remove_prefix(i + 1);
      return absl::OkStatus();
    }
  }
  return absl::DataLossError("varint is truncated or longer than 64 bits");
}

void EncodeValue(double value, uint32_t digits, ColumnState& state,
                 std::string& out) {
  if (digits == kAllBitsDigits) {
    const uint64_t bits = std::bit_cast<uint64_t>(value);
    // Byte-reversed, so that the mantissa's low bytes, which are often zero
    // after the XOR, become high ones that a varint leaves out.
    AppendVarint(__builtin_bswap64(bits ^ state.bits), out);
    state.bits = bits;
    return;
  }
  const double scaled = value * kPowersOfTen[digits];
  if (!(std::fabs(scaled) < kLargestScaled)) {
    AppendVarint(kEscape, out);
    AppendBits(std::bit_cast<uint64_t>(value), out);
    return;
  }
  const auto integer = static_cast<int64_t>(std::llround(scaled));
  AppendVarint(ZigZag(integer - state.integer), out);
  state.integer = integer;
}

absl::Status DecodeValue(absl::string_view& in, uint32_t digits,
                         ColumnState& state, double& value) {
  uint64_t code = 0;
  if (absl::Status read = ReadVarint(in, code); !read.ok()) return read;
  if (digits == kAllBitsDigits) {
    state.bits ^= __builtin_bswap64(code);
    value = std::bit_cast<double>(state.bits);
    return absl::OkStatus();
  }
  if (code == kEscape) {
    if (in.size() < 8) return absl::DataLossError("escaped value is truncated");
    uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) {
      bits |= static_cast<uint64_t>(static_cast<uint8_t>(in[i])) << (8 * i);
    }
    in.remove_prefix(8);
    value = std::bit_cast<double>(bits);
    return absl::OkStatus();
  }
  // Unsigned, because hostile bytes may overflow; the sum then wraps.
  state.integer = static_cast<int64_t>(static_cast<uint64_t>(state.integer) +
                                       static_cast<uint64_t>(UnZigZag(code)));
  value = static_cast<double>(state.integer) / kPowersOfTen[digits];
  return absl::OkStatus();
}

double Quantise(double value, uint32_t digits) {
  if (digits == kAllBitsDigits) return value;
  const double scaled = value * kPowersOfTen[digits];
  if (!(std::fabs(scaled) < kLargestScaled)) return value;
  return static_cast<double>(std::llround(scaled)) / kPowersOfTen[digits];
}

}  // namespace forewarn::wire
