#ifndef FOREWARN_COLLECTOR_HISTORY_HISTORY_KEYS_H_
#define FOREWARN_COLLECTOR_HISTORY_HISTORY_KEYS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/history/history_store.h"
#include "protos/wire/batch.h"

namespace forewarn::history {

// The keys of docs/formats/history.md. Numbers are big-endian, so that keys
// sort by endpoint, then series, then time.
std::string SeriesKey(uint32_t endpoint, uint32_t series);
// `order` tells blocks that begin at one moment apart.
std::string BlockKey(uint32_t endpoint, absl::Time first, uint64_t order);
std::string RollupKey(uint32_t endpoint, RollupLevel level, absl::Time begin);
std::string SealedKey(uint32_t endpoint);
std::string RolledKey(uint32_t endpoint);
std::string HighWaterKey(uint32_t endpoint, const wire::RunId& run);
std::string StateKey(uint32_t endpoint);
std::string EventKey(uint32_t endpoint, absl::Time time, uint32_t number);

// The part that all rollups of one level and endpoint share.
std::string RollupPrefix(uint32_t endpoint, RollupLevel level);
// The part that all keys of one kind and endpoint share.
std::string EndpointPrefix(char kind, uint32_t endpoint);
// A number as the keys have it.
std::string Bytes64(uint64_t number);

inline constexpr char kSeriesKind = 's';
inline constexpr char kBlockKind = 'k';
inline constexpr char kRollupKind = 'a';
inline constexpr char kSealedKind = 'q';
inline constexpr char kRolledKind = 'r';
inline constexpr char kHighWaterKind = 'h';
inline constexpr char kEventKind = 'e';
inline constexpr char kStateKind = 'd';

// The number at byte `offset` of a key that is long enough.
uint32_t Read32(absl::string_view key, size_t offset);
uint64_t Read64(absl::string_view key, size_t offset);

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_HISTORY_KEYS_H_
