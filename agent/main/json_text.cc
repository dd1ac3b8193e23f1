#include "agent/main/json_text.h"

#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace forewarn::agent {
namespace {

// Bytes of the UTF-8 character that begins at `text`; 0 when it is none.
size_t CharacterAt(absl::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t size = lead < 0x80                   ? 1
                      : lead >= 0xc2 && lead < 0xe0 ? 2
                      : lead >= 0xe0 && lead < 0xf0 ? 3
                      : lead >= 0xf0 && lead < 0xf5 ? 4
                                                    : 0;
  if (size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  return size;
}

}  // namespace

std::string JsonText(absl::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const size_t size = CharacterAt(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (size == 0) {
      json += "\\ufffd";
    } else if (first == '"' || first == '\\') {
      json += '\\';
      json += text[0];
    } else if (first < 0x20 || first == 0x7f) {
      absl::StrAppend(&json, "\\u", absl::Hex(first, absl::kZeroPad4));
    } else {
      json.append(text.data(), size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  json += '"';
  return json;
}

std::string JsonNumber(double number) {
  if (!std::isfinite(number)) return "null";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), number).ptr;
  return std::string(text, end);
}

std::string JsonObject(const JsonFields& fields) {
  std::string json = "{";
  for (const auto& [key, value] : fields) {
    absl::StrAppend(&json, json.size() > 1 ? ", " : "", JsonText(key), ": ",
                    value);
  }
  return json + "}";
}

std::string JsonArray(const std::vector<std::string>& values) {
  std::string json = "[";
  for (const std::string& value : values) {
    absl::StrAppend(&json, json.size() > 1 ? ",\n " : "\n ", value);
  }
  return absl::StrCat(json, "\n]");
}

}  // namespace forewarn::agent
