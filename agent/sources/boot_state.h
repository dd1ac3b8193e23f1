#ifndef FOREWARN_AGENT_SOURCES_BOOT_STATE_H_
#define FOREWARN_AGENT_SOURCES_BOOT_STATE_H_

#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace forewarn::agent {

// What BootSource remembers from boot to boot. Kept as lines "key value";
// unknown keys are skipped, so that an older agent reads a newer file.
struct BootState {
  std::string boot_id;                // of the boot it was written in
  uint64_t boots = 0;                 // seen on this machine
  bool unexpected = false;            // whether this boot was
  int64_t reboot_required_since = 0;  // Unix seconds; 0 = not required
  absl::btree_map<std::string, std::string> checksums;  // by what is watched
  absl::btree_map<std::string, uint64_t> changes;       // by what changed

  bool operator==(const BootState&) const = default;
};

std::string FormatBootState(const BootState& state);

// kDataLoss when the text is no such state.
absl::StatusOr<BootState> ParseBootState(absl::string_view text);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_BOOT_STATE_H_
