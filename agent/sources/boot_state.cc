#include "agent/sources/boot_state.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/sources/text.h"

namespace forewarn::agent {
namespace {

constexpr absl::string_view kHeading = "forewarn-boot-state 1";
constexpr size_t kMaxEntries = 64;  // of each map; chosen

}  // namespace

std::string FormatBootState(const BootState& state) {
  std::string text = absl::StrCat(
      kHeading, "\nboot_id ", state.boot_id, "\nboots ", state.boots,
      "\nunexpected ", state.unexpected ? 1 : 0, "\nreboot_required_since ",
      state.reboot_required_since, "\n");
  for (const auto& [what, checksum] : state.checksums) {
    absl::StrAppend(&text, "checksum ", what, " ", checksum, "\n");
  }
  for (const auto& [what, count] : state.changes) {
    absl::StrAppend(&text, "changes ", what, " ", count, "\n");
  }
  return text;
}

absl::StatusOr<BootState> ParseBootState(absl::string_view text) {
  absl::string_view line;
  if (!NextLine(text, line) || line != kHeading) {
    return absl::DataLossError("parse boot state: not such a file");
  }
  BootState state;
  bool good = true;
  while (NextLine(text, line)) {
    const absl::string_view key = NextField(line);
    const absl::string_view value = NextField(line);
    uint64_t number = 0;
    if (key == "boot_id") {
      state.boot_id = std::string(value);
    } else if (key == "boots") {
      good = good && ParseCount(value, state.boots);
    } else if (key == "unexpected") {
      good = good && ParseCount(value, number);
      state.unexpected = number != 0;
    } else if (key == "reboot_required_since") {
      good = good && absl::SimpleAtoi(value, &state.reboot_required_since);
    } else if (key == "checksum" && state.checksums.size() < kMaxEntries) {
      state.checksums[std::string(value)] = std::string(NextField(line));
    } else if (key == "changes" && state.changes.size() < kMaxEntries) {
      good = good && ParseCount(NextField(line), number);
      state.changes[std::string(value)] = number;
    }
  }
  if (!good || state.boot_id.empty()) {
    return absl::DataLossError("parse boot state: a line makes no sense");
  }
  return state;
}

}  // namespace forewarn::agent
