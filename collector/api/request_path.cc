#include "collector/api/request_path.h"

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace forewarn::api {
namespace {

constexpr size_t kMostSegments = 16;
constexpr size_t kMostKeys = 32;

absl::Status Refuse(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("request target: ", what));
}

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// RFC 3986 pchar without the percent sign.
bool IsPathCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("-._~!$&'()*+,;=:@").find(c) !=
             absl::string_view::npos;
}

// Decodes %XX once; nullopt when an escape is broken or a byte is not allowed.
std::optional<std::string> Decode(absl::string_view text, bool query) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (query && c == '+') {
      c = ' ';
    } else if (!IsPathCharacter(c) && !(query && (c == '/' || c == '?'))) {
      return std::nullopt;
    }
    decoded.push_back(c);
  }
  return decoded;
}

// Well-formed UTF-8 without control bytes.
bool IsPlainText(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x20 || lead == 0x7f) return false;
    const size_t length = lead < 0x80             ? 1
                          : (lead & 0xe0) == 0xc0 ? 2
                          : (lead & 0xf0) == 0xe0 ? 3
                          : (lead & 0xf8) == 0xf0 ? 4
                                                  : 0;
    if (length == 0 || i + length > text.size()) return false;
    uint32_t point = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    static constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kLeast[length] || point > 0x10ffff ||
        (point >= 0xd800 && point < 0xe000)) {
      return false;
    }
    i += length;
  }
  return true;
}

absl::Status ParseQuery(absl::string_view text, RequestPath& path) {
  if (text.empty()) return absl::OkStatus();
  for (absl::string_view pair : absl::StrSplit(text, '&')) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    auto key = Decode(halves.first, /*query=*/true);
    auto value = Decode(halves.second, /*query=*/true);
    if (!key || !value || !IsPlainText(*key) || !IsPlainText(*value)) {
      return Refuse("bad escape or byte in the query");
    }
    if (key->empty()) return Refuse("a query key without a name");
    for (const auto& [known, unused] : path.query) {
      if (known == *key) {
        return Refuse(absl::StrCat("query key ", *key, " is given twice"));
      }
    }
    path.query.emplace_back(*std::move(key), *std::move(value));
    if (path.query.size() > kMostKeys) return Refuse("too many query keys");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RequestPath> ParseTarget(absl::string_view target) {
  if (target.empty() || target.front() != '/') {
    return Refuse("it must begin with a slash");
  }
  const size_t mark = target.find('?');
  absl::string_view path =
      target.substr(1, mark == absl::string_view::npos ? mark : mark - 1);
  RequestPath parsed;
  if (!path.empty()) {
    for (absl::string_view raw : absl::StrSplit(path, '/')) {
      auto segment = Decode(raw, /*query=*/false);
      if (!segment || !IsPlainText(*segment) ||
          segment->find_first_of("/\\%") != std::string::npos) {
        return Refuse("bad escape or byte in the path");
      }
      if (segment->empty() || *segment == "." || *segment == "..") {
        return Refuse("an empty or a dot segment in the path");
      }
      parsed.segments.push_back(*std::move(segment));
      if (parsed.segments.size() > kMostSegments) {
        return Refuse("too many segments in the path");
      }
    }
  }
  if (mark != absl::string_view::npos) {
    absl::Status status = ParseQuery(target.substr(mark + 1), parsed);
    if (!status.ok()) return status;
  }
  return parsed;
}

}  // namespace forewarn::api
