#include "collector/cli/screen_text.h"

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace forewarn::cli {
namespace {

struct Range {
  int32_t first;
  int32_t last;
};

template <size_t kCount>
bool IsIn(const Range (&ranges)[kCount], int32_t character) {
  for (const Range& range : ranges) {
    if (character >= range.first && character <= range.last) return true;
  }
  return false;
}

// Unicode: zero-width, line and paragraph separators, bidirectional controls,
// invisible operators, byte order mark, tags.
constexpr Range kTreacherous[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},      {0x61c, 0x61c},
    {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};

// Unicode's East Asian wide characters and pictographs, in broad strokes.
constexpr Range kWide[] = {
    {0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};

constexpr Range kCombining[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},
    {0x610, 0x61a},   {0x64b, 0x65f},   {0x1ab0, 0x1aff},
    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};

size_t WidthOf(int32_t character) {
  if (IsIn(kCombining, character)) return 0;
  return IsIn(kWide, character) ? 2 : 1;
}

}  // namespace

int32_t TakeCharacter(absl::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80             ? 1
                        : (lead & 0xe0) == 0xc0 ? 2
                        : (lead & 0xf0) == 0xe0 ? 3
                        : (lead & 0xf8) == 0xf0 ? 4
                                                : 0;
  int32_t character = length == 1 ? lead : lead & (0x7f >> length);
  bool good = length > 0 && length <= text.size();
  for (size_t i = 1; good && i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    good = (next & 0xc0) == 0x80;
    character = character << 6 | (next & 0x3f);
  }
  static constexpr int32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (!good || character < kLeast[length] || character > 0x10ffff ||
      (character >= 0xd800 && character < 0xe000)) {
    text.remove_prefix(1);
    return -1;
  }
  text.remove_prefix(length);
  return character;
}

bool IsTreacherous(int32_t character) { return IsIn(kTreacherous, character); }

std::string Inert(absl::string_view text) {
  std::string inert;
  while (!text.empty()) {
    const absl::string_view before = text;
    const int32_t character = TakeCharacter(text);
    const absl::string_view taken =
        before.substr(0, before.size() - text.size());
    if (character < 0) {
      absl::StrAppendFormat(&inert, "\\x%02x",
                            static_cast<unsigned char>(taken[0]));
    } else if (character == '\n') {
      inert += "\\n";
    } else if (character == '\t') {
      inert += "\\t";
    } else if (!IsTreacherous(character)) {
      inert.append(taken.data(), taken.size());
    } else if (character < 0x80) {
      absl::StrAppendFormat(&inert, "\\x%02x", character);
    } else {
      absl::StrAppendFormat(&inert, "\\u{%x}", character);
    }
  }
  return inert;
}

std::string InertLines(absl::string_view text) {
  return absl::StrJoin(absl::StrSplit(text, '\n'), "\n",
                       [](std::string* out, absl::string_view line) {
                         out->append(Inert(line));
                       });
}

size_t ScreenWidth(absl::string_view text) {
  size_t width = 0;
  while (!text.empty()) width += WidthOf(TakeCharacter(text));
  return width;
}

std::string Cut(absl::string_view text, size_t width) {
  if (ScreenWidth(text) <= width) return std::string(text);
  if (width == 0) return "";
  std::string cut;
  size_t used = 0;
  while (!text.empty()) {
    const absl::string_view before = text;
    used += WidthOf(TakeCharacter(text));
    if (used > width - 1) break;
    cut.append(before.data(), before.size() - text.size());
  }
  return cut + "…";
}

}  // namespace forewarn::cli
