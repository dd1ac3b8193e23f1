#include "collector/cli/json_value.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "collector/cli/screen_text.h"
#include "protos/base/status.h"

namespace forewarn::cli {
namespace {

using Kind = JsonValue::Kind;

constexpr int kDeepest = 64;

void AppendUtf8(uint32_t point, std::string& text) {
  if (point < 0x80) {
    text.push_back(static_cast<char>(point));
    return;
  }
  const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  static constexpr uint32_t kLead[] = {0, 0xc0, 0xe0, 0xf0};
  text.push_back(static_cast<char>(kLead[more] | point >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) {
    text.push_back(static_cast<char>(0x80 | ((point >> (6 * i)) & 0x3f)));
  }
}

class Parser {
 public:
  explicit Parser(absl::string_view json) : rest_(json), size_(json.size()) {}

  absl::StatusOr<JsonValue> Document() {
    JsonValue value;
    FOREWARN_RETURN_IF_ERROR(Value(value, 0));
    Space();
    if (!rest_.empty()) return Wrong("something follows the document");
    return value;
  }

 private:
  absl::Status Wrong(absl::string_view what) const {
    return absl::DataLossError(
        absl::StrCat("not JSON at byte ", size_ - rest_.size(), ": ", what));
  }

  void Space() {
    while (!rest_.empty() && absl::string_view(" \t\r\n").find(rest_[0]) !=
                                 absl::string_view::npos) {
      rest_.remove_prefix(1);
    }
  }

  bool Take(absl::string_view token) {
    if (rest_.substr(0, token.size()) != token) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  absl::Status Value(JsonValue& value, int depth) {
    if (depth > kDeepest) return Wrong("nested too deeply");
    Space();
    if (rest_.empty()) return Wrong("it ends too early");
    if (Take("{")) return Object(value, depth);
    if (Take("[")) return Array(value, depth);
    if (rest_[0] == '"') {
      value.kind = Kind::kString;
      return String(value.text);
    }
    for (const char* word : {"true", "false", "null"}) {
      if (!Take(word)) continue;
      value.kind = word[0] == 'n' ? Kind::kNull : Kind::kBool;
      value.text = word;
      return absl::OkStatus();
    }
    return Number(value);
  }

  absl::Status Object(JsonValue& value, int depth) {
    value.kind = Kind::kObject;
    Space();
    if (Take("}")) return absl::OkStatus();
    while (true) {
      Space();
      JsonValue& member = value.items.emplace_back();
      FOREWARN_RETURN_IF_ERROR(String(member.name));
      Space();
      if (!Take(":")) return Wrong("':' expected");
      FOREWARN_RETURN_IF_ERROR(Value(member, depth + 1));
      Space();
      if (Take("}")) return absl::OkStatus();
      if (!Take(",")) return Wrong("',' or '}' expected");
    }
  }

  absl::Status Array(JsonValue& value, int depth) {
    value.kind = Kind::kArray;
    Space();
    if (Take("]")) return absl::OkStatus();
    while (true) {
      value.items.emplace_back();
      FOREWARN_RETURN_IF_ERROR(Value(value.items.back(), depth + 1));
      Space();
      if (Take("]")) return absl::OkStatus();
      if (!Take(",")) return Wrong("',' or ']' expected");
    }
  }

  absl::Status Number(JsonValue& value) {
    size_t length = 0;
    while (length < rest_.size() &&
           (absl::ascii_isdigit(static_cast<unsigned char>(rest_[length])) ||
            absl::string_view("+-.eE").find(rest_[length]) !=
                absl::string_view::npos)) {
      ++length;
    }
    value.kind = Kind::kNumber;
    value.text = std::string(rest_.substr(0, length));
    double ignored = 0;
    if (!absl::SimpleAtod(value.text, &ignored)) return Wrong("no value");
    rest_.remove_prefix(length);
    return absl::OkStatus();
  }

  absl::Status String(std::string& text) {
    if (!Take("\"")) return Wrong("a string expected");
    while (!rest_.empty()) {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"') return absl::OkStatus();
      if (static_cast<unsigned char>(c) < 0x20) {
        return Wrong("a control byte in a string");
      }
      if (c != '\\') {
        text.push_back(c);
        continue;
      }
      FOREWARN_RETURN_IF_ERROR(Escape(text));
    }
    return Wrong("a string without an end");
  }

  absl::Status Escape(std::string& text) {
    static constexpr absl::string_view kFrom = "\"\\/bfnrt";
    static constexpr absl::string_view kTo = "\"\\/\b\f\n\r\t";
    if (rest_.empty()) return Wrong("a string without an end");
    const char c = rest_[0];
    rest_.remove_prefix(1);
    if (const size_t at = kFrom.find(c); at != absl::string_view::npos) {
      text.push_back(kTo[at]);
      return absl::OkStatus();
    }
    uint32_t point = 0;
    if (c != 'u' || !Hex(point)) return Wrong("a bad escape");
    if (point >= 0xd800 && point < 0xdc00) {
      uint32_t low = 0;
      if (!Take("\\u") || !Hex(low) || low < 0xdc00 || low > 0xdfff) {
        return Wrong("half a character");
      }
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    } else if (point >= 0xdc00 && point < 0xe000) {
      return Wrong("half a character");
    }
    AppendUtf8(point, text);
    return absl::OkStatus();
  }

  bool Hex(uint32_t& point) {
    if (rest_.size() < 4) return false;
    for (const char c : rest_.substr(0, 4)) {
      if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return false;
    }
    const bool good = absl::SimpleHexAtoi(rest_.substr(0, 4), &point);
    rest_.remove_prefix(4);
    return good;
  }

  absl::string_view rest_;
  const size_t size_;
};

enum class Form { kJson, kYaml };

// A JSON string is a YAML double-quoted one as well, but for characters beyond
// U+FFFF, which JSON escapes in two halves.
std::string Quote(absl::string_view text, Form form) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const absl::string_view before = text;
    const int32_t character = TakeCharacter(text);
    if (character == '"' || character == '\\') {
      quoted.push_back('\\');
      quoted.push_back(static_cast<char>(character));
    } else if (character == '\n') {
      quoted += "\\n";
    } else if (character == '\t') {
      quoted += "\\t";
    } else if (character < 0) {
      quoted += "\\ufffd";
    } else if (!IsTreacherous(character)) {
      quoted.append(before.data(), before.size() - text.size());
    } else if (character > 0xffff && form == Form::kYaml) {
      absl::StrAppendFormat(&quoted, "\\U%08x", character);
    } else if (character > 0xffff) {
      absl::StrAppendFormat(&quoted, "\\u%04x\\u%04x",
                            0xd800 + ((character - 0x10000) >> 10),
                            0xdc00 + ((character - 0x10000) & 0x3ff));
    } else {
      absl::StrAppendFormat(&quoted, "\\u%04x", character);
    }
  }
  return quoted + "\"";
}

void AppendJson(const JsonValue& value, int level, std::string& out) {
  const bool object = value.kind == Kind::kObject;
  if (!object && value.kind != Kind::kArray) {
    out += value.kind == Kind::kString ? Quote(value.text, Form::kJson)
                                       : value.text;
    return;
  }
  out += object ? "{" : "[";
  const char* separator = "\n";
  for (const JsonValue& item : value.items) {
    absl::StrAppend(&out, separator, std::string(2 * (level + 1), ' '));
    if (object) absl::StrAppend(&out, Quote(item.name, Form::kJson), ": ");
    AppendJson(item, level + 1, out);
    separator = ",\n";
  }
  if (!value.items.empty()) {
    absl::StrAppend(&out, "\n", std::string(2 * level, ' '));
  }
  out += object ? "}" : "]";
}

// A plain scalar only where nobody can take it for anything but a string.
std::string YamlString(const std::string& text) {
  bool plain = !text.empty() && text.size() <= 200 &&
               absl::ascii_isalpha(static_cast<unsigned char>(text[0]));
  for (const char c : text) {
    plain = plain && (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                      c == '_' || c == '-' || c == '.' || c == '/');
  }
  static constexpr absl::string_view kWords[] = {
      "true", "false", "yes", "no",  "on",  "off",
      "null", "y",     "n",   "nan", "inf", "infinity"};
  const std::string lower = absl::AsciiStrToLower(text);
  for (const absl::string_view word : kWords) plain = plain && lower != word;
  if (plain) return text;
  return Quote(text, Form::kYaml);
}

void AppendYaml(const JsonValue& value, int level, std::string& out) {
  const std::string indent(2 * level, ' ');
  const bool list = value.kind == Kind::kArray;
  if (value.items.empty()) {
    absl::StrAppend(&out, " ",
                    list                          ? "[]"
                    : value.kind == Kind::kObject ? "{}"
                    : value.kind == Kind::kString ? YamlString(value.text)
                                                  : value.text,
                    "\n");
    return;
  }
  if (level > 0) out += "\n";
  for (const JsonValue& item : value.items) {
    if (!list) {
      absl::StrAppend(&out, indent, YamlString(item.name), ":");
      AppendYaml(item, level + 1, out);
      continue;
    }
    std::string inner;
    AppendYaml(item, level + 1, inner);
    // "- " takes the place of the first line's indent.
    if (inner[0] == '\n') inner.replace(0, indent.size() + 3, " ");
    absl::StrAppend(&out, indent, "-", inner);
  }
}

}  // namespace

const JsonValue* JsonValue::Find(absl::string_view key) const {
  if (kind != Kind::kObject) return nullptr;
  for (const JsonValue& member : items) {
    if (member.name == key) return &member;
  }
  return nullptr;
}

JsonValue* JsonValue::Find(absl::string_view key) {
  return const_cast<JsonValue*>(std::as_const(*this).Find(key));
}

absl::StatusOr<JsonValue> ParseJson(absl::string_view json) {
  return Parser(json).Document();
}

std::string ToJson(const JsonValue& value) {
  std::string out;
  AppendJson(value, 0, out);
  return out + "\n";
}

std::string ToYaml(const JsonValue& value) {
  std::string out;
  AppendYaml(value, 0, out);
  // A lone scalar or empty container has a blank in front.
  return out.substr(!out.empty() && out[0] == ' ' ? 1 : 0);
}

}  // namespace forewarn::cli
