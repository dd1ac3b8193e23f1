#ifndef FOREWARN_AGENT_SOURCES_GROWTH_H_
#define FOREWARN_AGENT_SOURCES_GROWTH_H_

#include <cstdint>
#include <optional>

namespace forewarn::agent {

// What a counter grew since the reading before; nullopt when it went back: it
// was reset, or it wrapped in a width nobody knows.
inline std::optional<uint64_t> Growth(uint64_t before, uint64_t now) {
  if (now < before) return std::nullopt;
  return now - before;
}

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_GROWTH_H_
