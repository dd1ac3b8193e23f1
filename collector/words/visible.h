#ifndef FOREWARN_COLLECTOR_WORDS_VISIBLE_H_
#define FOREWARN_COLLECTOR_WORDS_VISIBLE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace forewarn::words {

// The next code point of `text`, which is moved past it. False, and one byte
// taken, where the bytes are no UTF-8.
bool TakeCodePoint(absl::string_view& text, uint32_t& code_point);

// A string from an endpoint made harmless for terminals, mail and logs: bytes
// that control a terminal, that are no UTF-8, or that turn the direction of
// the text show as \n, \x1b or \u{202e}. The two joiners that Persian and
// emoji need stay. What is longer than `longest` bytes ends in "…".
std::string Visible(absl::string_view text, size_t longest = 512);

// Columns the text takes in a terminal: wide characters two, combining marks
// none.
int DisplayWidth(absl::string_view text);

}  // namespace forewarn::words

#endif  // FOREWARN_COLLECTOR_WORDS_VISIBLE_H_
