#include "agent/sources/text.h"

#include "absl/strings/numbers.h"

namespace forewarn::agent {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// Length of the character at the front of `text` (RFC 3629: no overlong
// forms, no surrogates, at most U+10FFFF); 0 if it is none or a control
// character.
size_t CharacterLength(absl::string_view text) {
  const auto byte = [&](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return lead < 0x20 || lead == 0x7f ? 0 : 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (length > text.size()) return 0;
  uint32_t point = lead & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    point = point << 6 | (byte(i) & 0x3f);
  }
  if (length == 2) return point < 0xa0 ? 0 : 2;
  if (length == 3) {
    return point < 0x800 || (point >= 0xd800 && point < 0xe000) ? 0 : 3;
  }
  return point < 0x10000 || point > 0x10ffff ? 0 : 4;
}

}  // namespace

std::string CleanText(absl::string_view text, size_t max_bytes) {
  std::string clean;
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const absl::string_view next =
        length == 0 ? kReplacement : text.substr(0, length);
    if (clean.size() + next.size() > max_bytes) break;
    clean.append(next.data(), next.size());
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

bool NextLine(absl::string_view& text, absl::string_view& line) {
  if (text.empty()) return false;
  const size_t end = text.find('\n');
  line = text.substr(0, end);
  text.remove_prefix(end == absl::string_view::npos ? text.size() : end + 1);
  return true;
}

absl::string_view NextField(absl::string_view& line) {
  size_t begin = 0;
  while (begin < line.size() && IsBlank(line[begin])) ++begin;
  size_t end = begin;
  while (end < line.size() && !IsBlank(line[end])) ++end;
  const absl::string_view field = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return field;
}

bool ParseCount(absl::string_view text, uint64_t& value) {
  // SimpleAtoi would also take signs and white space.
  if (text.empty() || text.front() < '0' || text.front() > '9' ||
      text.back() < '0' || text.back() > '9') {
    return false;
  }
  uint64_t parsed = 0;
  if (!absl::SimpleAtoi(text, &parsed)) return false;
  value = parsed;
  return true;
}

std::string DecodeOctal(absl::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] <= '3' &&
        IsOctal(text[i + 1]) && IsOctal(text[i + 2]) && IsOctal(text[i + 3])) {
      decoded +=
          static_cast<char>((text[i + 1] - '0') << 6 |
                            (text[i + 2] - '0') << 3 | (text[i + 3] - '0'));
      i += 3;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

}  // namespace forewarn::agent
