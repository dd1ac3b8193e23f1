#ifndef FOREWARN_AGENT_MAIN_JSON_TEXT_H_
#define FOREWARN_AGENT_MAIN_JSON_TEXT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

// JSON written in the order it is given, which protobuf's maps do not keep.
namespace forewarn::agent {

// Quoted and escaped. Bytes that are no UTF-8 become U+FFFD.
std::string JsonText(absl::string_view text);

// The shortest form that reads back the same; null when not finite.
std::string JsonNumber(double number);

// Keys in order, values as JSON already.
using JsonFields = std::vector<std::pair<std::string, std::string>>;
std::string JsonObject(const JsonFields& fields);

// One value a line.
std::string JsonArray(const std::vector<std::string>& values);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_MAIN_JSON_TEXT_H_
