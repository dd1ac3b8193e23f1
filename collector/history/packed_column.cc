#include "collector/history/packed_column.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "protos/base/status.h"
#include "protos/wire/column_codec.h"
#include "protos/wire/series.h"

namespace forewarn::history {
namespace {

using wire::AppendVarint;
using wire::ReadVarint;

constexpr size_t kGroup = 32;
constexpr int64_t kLargest = int64_t{1} << 61;
constexpr double kPowersOfTen[] = {1e0, 1e1, 1e2, 1e3, 1e4,
                                   1e5, 1e6, 1e7, 1e8, 1e9};

// How values became integers.
enum class Scale : uint8_t { kDecimal = 0, kBinary = 1, kBits = 2 };
// What of the integers is packed.
enum class Frame : uint8_t { kDifference = 0, kLeast = 1 };

void AppendSigned(int64_t value, std::string& out) {
  AppendVarint(wire::ZigZag(value), out);
}

absl::Status ReadSigned(absl::string_view& in, int64_t& value) {
  uint64_t code = 0;
  FOREWARN_RETURN_IF_ERROR(ReadVarint(in, code));
  value = wire::UnZigZag(code);
  return absl::OkStatus();
}

// Wraps instead of overflowing on damaged bytes.
int64_t Add(int64_t a, uint64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + b);
}

// --- Unsigned numbers in groups of one width ---

void PackGroups(absl::Span<const uint64_t> numbers, std::string& out) {
  for (size_t begin = 0; begin < numbers.size(); begin += kGroup) {
    const auto group = numbers.subspan(begin, kGroup);
    uint64_t any = 0;
    for (const uint64_t number : group) any |= number;
    const auto width = static_cast<unsigned>(std::bit_width(any));
    out += static_cast<char>(width);
    if (width == 0) continue;
    const size_t at = out.size();
    // Eight bytes more than needed, so that a number is one write.
    out.resize(at + (group.size() * width + 7) / 8 + 16);
    char* const base = out.data() + at;
    uint64_t pending = 0;
    unsigned filled = 0;
    size_t byte = 0;
    for (const uint64_t number : group) {
      pending |= number << filled;
      if (filled + width >= 64) {
        std::memcpy(base + byte, &pending, 8);
        byte += 8;
        const unsigned taken = 64 - filled;
        pending = taken == 64 ? 0 : number >> taken;
        filled = filled + width - 64;
      } else {
        filled += width;
      }
    }
    std::memcpy(base + byte, &pending, 8);
    out.resize(at + (group.size() * width + 7) / 8);
  }
}

absl::Status UnpackGroups(absl::string_view& in, size_t count,
                          std::vector<uint64_t>& numbers) {
  for (size_t done = 0; done < count; done += kGroup) {
    const size_t group = std::min(kGroup, count - done);
    if (in.empty()) return absl::DataLossError("packed column is truncated");
    const auto width = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    const size_t bytes = (group * width + 7) / 8;
    if (width > 64 || bytes > in.size()) {
      return absl::DataLossError("packed column is truncated");
    }
    if (width == 0) {
      numbers.insert(numbers.end(), group, 0);
      continue;
    }
    // A copy with room behind it, so that a number is two reads.
    char buffer[kGroup * 8 + 16] = {};
    std::memcpy(buffer, in.data(), bytes);
    const uint64_t mask =
        width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
    for (size_t i = 0; i < group; ++i) {
      const size_t bit = i * width;
      uint64_t low = 0;
      std::memcpy(&low, buffer + bit / 8, 8);
      uint64_t number = low >> (bit % 8);
      if (bit % 8 + width > 64) {
        number |= static_cast<uint64_t>(
                      static_cast<unsigned char>(buffer[bit / 8 + 8]))
                  << (64 - bit % 8);
      }
      numbers.push_back(number & mask);
    }
    in.remove_prefix(bytes);
  }
  return absl::OkStatus();
}

size_t BitsOf(absl::Span<const uint64_t> numbers) {
  size_t bits = 0;
  for (size_t begin = 0; begin < numbers.size(); begin += kGroup) {
    const auto group = numbers.subspan(begin, kGroup);
    uint64_t any = 0;
    for (const uint64_t number : group) any |= number;
    bits += group.size() * static_cast<size_t>(std::bit_width(any));
  }
  return bits;
}

// Numbers less their least, divided by the divisor of all.
struct Reduced {
  int64_t least = 0;
  uint64_t divisor = 1;
  std::vector<uint64_t> numbers;
};

Reduced Reduce(absl::Span<const int64_t> integers) {
  Reduced reduced;
  if (integers.empty()) return reduced;
  reduced.least = *std::min_element(integers.begin(), integers.end());
  reduced.numbers.reserve(integers.size());
  uint64_t divisor = 0;
  for (const int64_t integer : integers) {
    const uint64_t above =
        static_cast<uint64_t>(integer) - static_cast<uint64_t>(reduced.least);
    reduced.numbers.push_back(above);
    if (divisor != 1) divisor = std::gcd(divisor, above);
  }
  reduced.divisor = std::max<uint64_t>(divisor, 1);
  if (reduced.divisor > 1) {
    for (uint64_t& number : reduced.numbers) number /= reduced.divisor;
  }
  return reduced;
}

void Append(const Reduced& reduced, std::string& out) {
  AppendSigned(reduced.least, out);
  AppendVarint(reduced.divisor, out);
  PackGroups(reduced.numbers, out);
}

absl::Status Read(absl::string_view& in, size_t count,
                  std::vector<int64_t>& integers) {
  int64_t least = 0;
  uint64_t divisor = 0;
  FOREWARN_RETURN_IF_ERROR(ReadSigned(in, least));
  FOREWARN_RETURN_IF_ERROR(ReadVarint(in, divisor));
  std::vector<uint64_t> numbers;
  numbers.reserve(count);
  FOREWARN_RETURN_IF_ERROR(UnpackGroups(in, count, numbers));
  for (const uint64_t number : numbers) {
    integers.push_back(Add(least, number * divisor));
  }
  return absl::OkStatus();
}

// --- Doubles as integers ---

bool AsDecimals(absl::Span<const double> values, uint32_t digits,
                std::vector<int64_t>& integers) {
  if (digits >= std::size(kPowersOfTen)) return false;
  const double scale = kPowersOfTen[digits];
  for (const double value : values) {
    const double scaled = value * scale;
    if (!(std::fabs(scaled) < static_cast<double>(kLargest))) return false;
    const auto integer = static_cast<int64_t>(std::llround(scaled));
    if (static_cast<double>(integer) / scale != value ||
        (value == 0 && std::signbit(value))) {
      return false;
    }
    integers.push_back(integer);
  }
  return true;
}

// The smallest shift that makes every value an integer.
bool AsShifted(absl::Span<const double> values, int& shift,
               std::vector<int64_t>& integers) {
  int lowest = 1024;
  int highest = -1100;
  for (const double value : values) {
    if (!std::isfinite(value) || (value == 0 && std::signbit(value))) {
      return false;
    }
    if (value == 0) continue;
    int exponent = 0;
    const double fraction = std::frexp(value, &exponent);
    const auto mantissa = static_cast<uint64_t>(
        std::llround(std::fabs(std::ldexp(fraction, 53))));
    lowest = std::min(lowest, exponent - 53 + std::countr_zero(mantissa));
    highest = std::max(highest, exponent);
  }
  if (highest < -1000) lowest = highest = 0;  // zeros only
  if (highest - lowest > 60) return false;
  shift = -lowest;
  for (const double value : values) {
    integers.push_back(static_cast<int64_t>(std::ldexp(value, shift)));
  }
  return true;
}

}  // namespace

void PackIntegers(absl::Span<const int64_t> integers, std::string& out) {
  std::vector<int64_t> differences;
  differences.reserve(integers.size());
  for (size_t i = 1; i < integers.size(); ++i) {
    differences.push_back(integers[i] - integers[i - 1]);
  }
  const Reduced steps = Reduce(differences);
  const Reduced levels = Reduce(integers);
  if (!integers.empty() && BitsOf(steps.numbers) <= BitsOf(levels.numbers)) {
    out += static_cast<char>(Frame::kDifference);
    AppendSigned(integers.front(), out);
    Append(steps, out);
  } else {
    out += static_cast<char>(Frame::kLeast);
    Append(levels, out);
  }
}

absl::Status UnpackIntegers(absl::string_view& in, size_t count,
                            std::vector<int64_t>& integers) {
  if (in.empty()) return absl::DataLossError("packed column is truncated");
  const auto frame = static_cast<Frame>(in.front());
  in.remove_prefix(1);
  if (frame == Frame::kLeast) return Read(in, count, integers);
  if (frame != Frame::kDifference || count == 0) {
    return absl::DataLossError("packed column of an unknown kind");
  }
  int64_t integer = 0;
  FOREWARN_RETURN_IF_ERROR(ReadSigned(in, integer));
  std::vector<int64_t> differences;
  differences.reserve(count - 1);
  FOREWARN_RETURN_IF_ERROR(Read(in, count - 1, differences));
  integers.push_back(integer);
  for (const int64_t difference : differences) {
    integer = Add(integer, static_cast<uint64_t>(difference));
    integers.push_back(integer);
  }
  return absl::OkStatus();
}

void PackValues(absl::Span<const double> values, uint32_t digits,
                std::string& out) {
  std::vector<int64_t> integers;
  integers.reserve(values.size());
  if (AsDecimals(values, digits, integers)) {
    out += static_cast<char>(Scale::kDecimal);
    return PackIntegers(integers, out);
  }
  integers.clear();
  int shift = 0;
  if (AsShifted(values, shift, integers)) {
    out += static_cast<char>(Scale::kBinary);
    AppendSigned(shift, out);
    return PackIntegers(integers, out);
  }
  out += static_cast<char>(Scale::kBits);
  std::vector<uint64_t> bits;
  bits.reserve(values.size());
  for (const double value : values) {
    bits.push_back(std::bit_cast<uint64_t>(value));
  }
  PackGroups(bits, out);
}

absl::Status UnpackValues(absl::string_view in, size_t count, uint32_t digits,
                          std::vector<double>& values) {
  if (in.empty()) return absl::DataLossError("packed column is empty");
  const auto scale = static_cast<Scale>(in.front());
  in.remove_prefix(1);
  if (scale == Scale::kBits) {
    std::vector<uint64_t> bits;
    bits.reserve(count);
    FOREWARN_RETURN_IF_ERROR(UnpackGroups(in, count, bits));
    for (const uint64_t word : bits) {
      values.push_back(std::bit_cast<double>(word));
    }
  } else {
    int64_t shift = 0;
    if (scale == Scale::kBinary) {
      FOREWARN_RETURN_IF_ERROR(ReadSigned(in, shift));
      if (shift < -1100 || shift > 1100) {
        return absl::DataLossError("packed column of an impossible scale");
      }
    } else if (scale != Scale::kDecimal || digits >= std::size(kPowersOfTen)) {
      return absl::DataLossError("packed column of an unknown kind");
    }
    std::vector<int64_t> integers;
    integers.reserve(count);
    FOREWARN_RETURN_IF_ERROR(UnpackIntegers(in, count, integers));
    for (const int64_t integer : integers) {
      values.push_back(scale == Scale::kDecimal
                           ? static_cast<double>(integer) / kPowersOfTen[digits]
                           : std::ldexp(static_cast<double>(integer),
                                        static_cast<int>(-shift)));
    }
  }
  if (!in.empty()) return absl::DataLossError("packed column: bytes left over");
  return absl::OkStatus();
}

}  // namespace forewarn::history
