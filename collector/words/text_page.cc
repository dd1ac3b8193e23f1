#include "collector/words/text_page.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "collector/words/visible.h"

namespace forewarn::words {
namespace {

constexpr int kFieldIndent = 14;

std::string Spaces(int count) {
  return std::string(count > 0 ? static_cast<size_t>(count) : 0, ' ');
}

}  // namespace

void TextPage::Heading(absl::string_view text) {
  absl::StrAppend(&text_, text_.empty() ? "" : "\n",
                  absl::AsciiStrToUpper(text), "\n");
}

void TextPage::Paragraph(absl::string_view text, int indent) {
  Wrap(text, Spaces(indent), indent);
}

void TextPage::Field(absl::string_view label, absl::string_view text) {
  std::string first = absl::StrCat("  ", label);
  first += Spaces(kFieldIndent - DisplayWidth(first));
  Wrap(text, std::move(first), kFieldIndent);
}

void TextPage::Item(absl::string_view marker, absl::string_view text) {
  std::string first = absl::StrCat("  ", marker, " ");
  const int indent = DisplayWidth(first);
  Wrap(text, std::move(first), indent);
}

void TextPage::Line(absl::string_view text) {
  absl::StrAppend(&text_, absl::StripTrailingAsciiWhitespace(text), "\n");
}

void TextPage::Wrap(absl::string_view text, std::string first, int indent) {
  std::string line = std::move(first);
  int column = DisplayWidth(line);
  bool empty = true;  // no word on this line yet
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty())) {
    const int width = DisplayWidth(word);
    if (!empty && column + 1 + width > kWidth) {
      Line(line);
      line = Spaces(indent);
      column = indent;
      empty = true;
    }
    absl::StrAppend(&line, empty ? "" : " ", word);
    column += width + (empty ? 0 : 1);
    empty = false;
  }
  Line(line);
}

std::string FitTo(absl::string_view text, int width) {
  if (DisplayWidth(text) <= width) {
    return absl::StrCat(text, Spaces(width - DisplayWidth(text)));
  }
  std::string cut;
  while (!text.empty()) {
    const absl::string_view before = text;
    uint32_t code_point = 0;
    TakeCodePoint(text, code_point);
    const absl::string_view taken =
        before.substr(0, before.size() - text.size());
    if (DisplayWidth(cut) + DisplayWidth(taken) > width - 1) break;
    absl::StrAppend(&cut, taken);
  }
  return absl::StrCat(cut, "…", Spaces(width - 1 - DisplayWidth(cut)));
}

}  // namespace forewarn::words
