#ifndef FOREWARN_COLLECTOR_WORDS_TEXT_PAGE_H_
#define FOREWARN_COLLECTOR_WORDS_TEXT_PAGE_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace forewarn::words {

// Plain text for an 80-column terminal and for mail, written from top to
// bottom. Text is broken between words; a word that is too long for a line
// stays whole, so that commands and addresses can be copied. Line breaks in a
// text are spaces. Strings from endpoints must have gone through Visible.
class TextPage {
 public:
  static constexpr int kWidth = 80;

  // A blank line, then the heading in capitals.
  void Heading(absl::string_view text);
  void Paragraph(absl::string_view text, int indent = 2);
  // "  Since       2026-...": texts of consecutive fields stand in line.
  void Field(absl::string_view label, absl::string_view text);
  // "  1. text" or "  - text", further lines under the text.
  void Item(absl::string_view marker, absl::string_view text);
  // As it is.
  void Line(absl::string_view text);

  std::string Take() { return std::move(text_); }

 private:
  void Wrap(absl::string_view text, std::string first, int indent);

  std::string text_;
};

// `text` in exactly `width` columns: cut with "…", or filled with spaces.
std::string FitTo(absl::string_view text, int width);

}  // namespace forewarn::words

#endif  // FOREWARN_COLLECTOR_WORDS_TEXT_PAGE_H_
