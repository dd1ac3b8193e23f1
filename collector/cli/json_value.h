#ifndef FOREWARN_COLLECTOR_CLI_JSON_VALUE_H_
#define FOREWARN_COLLECTOR_CLI_JSON_VALUE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace forewarn::cli {

// A JSON document as the collector sent it: members in their order, numbers
// as they were written. So `-o json` and `-o yaml` show fields that this
// program does not know.
struct JsonValue {
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  std::string text;              // of a number, a string, true or false
  std::string name;              // when it is the member of an object
  std::vector<JsonValue> items;  // of an array, or members of an object

  // Null if there is no such member.
  JsonValue* Find(absl::string_view key);
  const JsonValue* Find(absl::string_view key) const;
};

// kDataLoss when it is not JSON of at most 64 levels.
absl::StatusOr<JsonValue> ParseJson(absl::string_view json);

// Two spaces for each level, a line end at the end. What a terminal would
// obey is escaped.
std::string ToJson(const JsonValue& value);

// The same document as block-style YAML 1.2; strings that another reader could
// take for something else are quoted.
std::string ToYaml(const JsonValue& value);

}  // namespace forewarn::cli

#endif  // FOREWARN_COLLECTOR_CLI_JSON_VALUE_H_
