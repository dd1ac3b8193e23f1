#ifndef FOREWARN_PROTOS_BASE_CRC32C_H_
#define FOREWARN_PROTOS_BASE_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace forewarn::base {

// The Castagnoli polynomial (RFC 3720, B.4). `crc` goes on from bytes before.
// By the processor's own instruction where it has one.
uint32_t Crc32c(absl::string_view bytes, uint32_t crc = 0);

namespace internal {
// The same without that instruction; for tests.
uint32_t Crc32cByTable(absl::string_view bytes, uint32_t crc = 0);
}  // namespace internal

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_CRC32C_H_
