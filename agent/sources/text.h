#ifndef FOREWARN_AGENT_SOURCES_TEXT_H_
#define FOREWARN_AGENT_SOURCES_TEXT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace forewarn::agent {

// Reading the kernel's text files without copies, and cleaning what they say:
// interface names, labels and mount points are chosen by others.

// `text` as valid UTF-8 without control characters, each bad byte or control
// character replaced by U+FFFD, cut to `max_bytes` between characters.
std::string CleanText(absl::string_view text, size_t max_bytes);

// Takes the next line off `text`, without its end; false when none is left.
bool NextLine(absl::string_view& text, absl::string_view& line);

// Takes the next field off `line`; fields are separated by blanks and tabs.
// Empty when none is left.
absl::string_view NextField(absl::string_view& line);

// The first N fields of `line`; returns how many there were, at most N.
template <size_t N>
size_t SplitFields(absl::string_view line,
                   std::array<absl::string_view, N>& fields) {
  size_t count = 0;
  while (count < N && !(fields[count] = NextField(line)).empty()) ++count;
  return count;
}

// A decimal number without sign and nothing else; false leaves `value` as it
// was.
bool ParseCount(absl::string_view text, uint64_t& value);

// Undoes the \ooo escapes of /proc/self/mountinfo.
std::string DecodeOctal(absl::string_view text);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_TEXT_H_
