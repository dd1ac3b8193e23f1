#include "collector/history/history_keys.h"

namespace forewarn::history {
namespace {

template <typename Number>
void Append(Number number, std::string& key) {
  for (int shift = 8 * (sizeof(Number) - 1); shift >= 0; shift -= 8) {
    key += static_cast<char>(number >> shift);
  }
}

// Times before 1970 do not occur: the wire refuses them.
uint64_t Milliseconds(absl::Time time) {
  return static_cast<uint64_t>(absl::ToUnixMillis(time));
}

}  // namespace

std::string EndpointPrefix(char kind, uint32_t endpoint) {
  std::string key(1, kind);
  Append(endpoint, key);
  return key;
}

std::string SeriesKey(uint32_t endpoint, uint32_t series) {
  std::string key = EndpointPrefix(kSeriesKind, endpoint);
  Append(series, key);
  return key;
}

std::string BlockKey(uint32_t endpoint, absl::Time first, uint64_t order) {
  std::string key = EndpointPrefix(kBlockKind, endpoint);
  Append(Milliseconds(first), key);
  Append(order, key);
  return key;
}

std::string RollupPrefix(uint32_t endpoint, RollupLevel level) {
  return EndpointPrefix(kRollupKind, endpoint) + static_cast<char>(level);
}

std::string RollupKey(uint32_t endpoint, RollupLevel level, absl::Time begin) {
  std::string key = RollupPrefix(endpoint, level);
  Append(Milliseconds(begin), key);
  return key;
}

std::string RolledKey(uint32_t endpoint) {
  return EndpointPrefix(kRolledKind, endpoint);
}

std::string SealedKey(uint32_t endpoint) {
  return EndpointPrefix(kSealedKind, endpoint);
}

std::string Bytes64(uint64_t number) {
  std::string bytes;
  Append(number, bytes);
  return bytes;
}

std::string HighWaterKey(uint32_t endpoint, const wire::RunId& run) {
  std::string key = EndpointPrefix(kHighWaterKind, endpoint);
  key.append(reinterpret_cast<const char*>(run.data()), run.size());
  return key;
}

std::string StateKey(uint32_t endpoint) {
  return EndpointPrefix(kStateKind, endpoint);
}

std::string EventKey(uint32_t endpoint, absl::Time time, uint32_t number) {
  std::string key = EndpointPrefix(kEventKind, endpoint);
  Append(Milliseconds(time), key);
  Append(number, key);
  return key;
}

uint32_t Read32(absl::string_view key, size_t offset) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) {
    number = number << 8 | static_cast<uint8_t>(key[offset + i]);
  }
  return number;
}

uint64_t Read64(absl::string_view key, size_t offset) {
  return static_cast<uint64_t>(Read32(key, offset)) << 32 |
         Read32(key, offset + 4);
}

}  // namespace forewarn::history
