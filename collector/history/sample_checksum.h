#ifndef FOREWARN_COLLECTOR_HISTORY_SAMPLE_CHECKSUM_H_
#define FOREWARN_COLLECTOR_HISTORY_SAMPLE_CHECKSUM_H_

#include <cstdint>
#include <cstring>

#include "absl/time/time.h"

namespace forewarn::history {

// A number of one sample's time and bits. The sum over a series, modulo 2^64,
// does not depend on the order and tells whether two ends hold the same.
// Mixing: finalizer of MurmurHash3 (A. Appleby, public domain).
inline uint64_t SampleChecksum(absl::Time time, double value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  uint64_t h = bits ^ (static_cast<uint64_t>(absl::ToUnixMillis(time)) *
                       0x9e3779b97f4a7c15u);
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdu;
  h ^= h >> 33;
  h *= 0xc4ceb9fe1a85ec53u;
  h ^= h >> 33;
  return h;
}

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_SAMPLE_CHECKSUM_H_
