#include "collector/words/visible.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace forewarn::words {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// C1 controls, invisible and direction marks (Unicode 15, UAX 9), line and
// paragraph separators, tags, noncharacters at the end.
constexpr Range kHidden[] = {
    {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},     {0x180e, 0x180e},
    {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};
// East Asian wide and the emoji blocks, coarsely (UAX 11).
constexpr Range kWide[] = {
    {0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
};
constexpr Range kCombining[] = {
    {0x300, 0x36f},   {0x610, 0x61a},   {0x64b, 0x65f},
    {0x200c, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f},
};

template <size_t n>
bool IsIn(const Range (&ranges)[n], uint32_t code_point) {
  return std::any_of(
      std::begin(ranges), std::end(ranges), [code_point](const Range& range) {
        return range.first <= code_point && code_point <= range.last;
      });
}

std::string Escaped(uint32_t code_point) {
  switch (code_point) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return code_point < 0x80 ? absl::StrFormat("\\x%02x", code_point)
                               : absl::StrFormat("\\u{%x}", code_point);
  }
}

}  // namespace

bool TakeCodePoint(absl::string_view& text, uint32_t& code_point) {
  const auto byte = [&text](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char lead = byte(0);
  const size_t size = lead < 0x80             ? 1
                      : (lead & 0xe0) == 0xc0 ? 2
                      : (lead & 0xf0) == 0xe0 ? 3
                      : (lead & 0xf8) == 0xf0 ? 4
                                              : 0;
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  bool good = size > 0 && size <= text.size();
  code_point = size <= 1 ? lead : lead & (0xff >> (size + 1));
  for (size_t i = 1; good && i < size; ++i) {
    good = (byte(i) & 0xc0) == 0x80;
    code_point = code_point << 6 | (byte(i) & 0x3f);
  }
  good = good && code_point >= kSmallest[size] && code_point <= 0x10ffff &&
         (code_point < 0xd800 || code_point > 0xdfff);
  if (!good) code_point = lead;
  text.remove_prefix(good ? size : 1);
  return good;
}

std::string Visible(absl::string_view text, size_t longest) {
  std::string shown;
  while (!text.empty()) {
    if (shown.size() >= longest) return absl::StrCat(shown, "…");
    const absl::string_view before = text;
    uint32_t code_point = 0;
    if (!TakeCodePoint(text, code_point)) {
      absl::StrAppendFormat(&shown, "\\x%02x", code_point);
    } else if (code_point < 0x20 || IsIn(kHidden, code_point)) {
      shown += Escaped(code_point);
    } else {
      absl::StrAppend(&shown, before.substr(0, before.size() - text.size()));
    }
  }
  return shown;
}

int DisplayWidth(absl::string_view text) {
  int width = 0;
  while (!text.empty()) {
    uint32_t code_point = 0;
    TakeCodePoint(text, code_point);
    if (IsIn(kCombining, code_point)) continue;
    width += IsIn(kWide, code_point) ? 2 : 1;
  }
  return width;
}

}  // namespace forewarn::words
