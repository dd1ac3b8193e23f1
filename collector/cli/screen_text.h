#ifndef FOREWARN_COLLECTOR_CLI_SCREEN_TEXT_H_
#define FOREWARN_COLLECTOR_CLI_SCREEN_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace forewarn::cli {

// One character from the front of `text`, which gets shorter by it; -1 and
// one byte for what is not UTF-8. `text` must not be empty.
int32_t TakeCharacter(absl::string_view& text);

// Whether a terminal would obey it, or show something else than is there:
// C0 and C1 controls, and what hides or turns the direction of text.
bool IsTreacherous(int32_t character);

// `text` on one line and inert: treacherous characters and broken bytes as
// \n, \x1b, \u{202e}.
std::string Inert(absl::string_view text);

// The same for a text of several lines, whose line ends stay.
std::string InertLines(absl::string_view text);

// Columns that `text` takes on a terminal; for what Inert returned.
size_t ScreenWidth(absl::string_view text);

// At most `width` columns of `text`, an ellipsis at the end when it was cut.
std::string Cut(absl::string_view text, size_t width);

}  // namespace forewarn::cli

#endif  // FOREWARN_COLLECTOR_CLI_SCREEN_TEXT_H_
