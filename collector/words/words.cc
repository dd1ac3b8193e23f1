#include "collector/words/words.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "collector/words/english.h"
#include "collector/words/visible.h"
#include "protos/wire/proto_time.h"

namespace forewarn::words {
namespace {

std::string ShowParameter(const v1::Parameter& parameter) {
  switch (parameter.value_case()) {
    case v1::Parameter::kText:
      return Visible(parameter.text());
    case v1::Parameter::kQuantity:
      return ShowQuantity(parameter.quantity().value(),
                          parameter.quantity().unit());
    case v1::Parameter::kTime:
      return ShowTime(wire::ToTime(parameter.time()));
    case v1::Parameter::kDuration:
      return ShowDuration(wire::ToDuration(parameter.duration()));
    case v1::Parameter::VALUE_NOT_SET:
      break;
  }
  return "";
}

const v1::Parameter* Find(const v1::Text& text, absl::string_view name) {
  for (const v1::Parameter& parameter : text.parameters()) {
    if (parameter.name() == name) return &parameter;
  }
  return nullptr;
}

bool IsParameterName(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
           c == '_' || c == '-';
  });
}

std::string ShowUnknown(const v1::Text& text) {
  std::vector<std::string> parameters;
  for (const v1::Parameter& parameter : text.parameters()) {
    parameters.push_back(absl::StrCat(Visible(parameter.name(), 64), "=",
                                      ShowParameter(parameter)));
  }
  const std::string key = Visible(text.key(), 128);
  if (parameters.empty()) return key;
  return absl::StrCat(key, " (", absl::StrJoin(parameters, ", "), ")");
}

// Replaces {name} and {name|fallback} by what `show` says of them; `show`
// returns false for what the text lacks. Other braces stay.
template <typename Show>
std::string Fill(absl::string_view pattern, Show show) {
  std::string filled;
  while (!pattern.empty()) {
    const size_t open = pattern.find('{');
    absl::StrAppend(&filled, pattern.substr(0, open));
    if (open == absl::string_view::npos) break;
    pattern.remove_prefix(open);
    const size_t close = pattern.find('}');
    const absl::string_view inside = close == absl::string_view::npos
                                         ? absl::string_view()
                                         : pattern.substr(1, close - 1);
    const size_t bar = inside.find('|');
    const absl::string_view name = inside.substr(0, bar);
    if (!IsParameterName(name)) {
      filled += '{';
      pattern.remove_prefix(1);
      continue;
    }
    std::string value;
    if (show(name, value)) {
      filled += value;
    } else if (bar != absl::string_view::npos) {
      absl::StrAppend(&filled, inside.substr(bar + 1));
    }
    pattern.remove_prefix(close + 1);
  }
  return filled;
}

}  // namespace

Words::Words() {
  for (const Pattern& pattern : EnglishPatterns()) {
    Add(pattern.key, pattern.text);
  }
}

void Words::Add(std::string key, std::string pattern) {
  patterns_[std::move(key)] = std::move(pattern);
}

std::string Words::Render(const v1::Text& text) const {
  const auto found = patterns_.find(text.key());
  if (found == patterns_.end()) return ShowUnknown(text);
  const auto plain = [&text](absl::string_view name, std::string& value) {
    const v1::Parameter* parameter = Find(text, name);
    if (parameter == nullptr) return false;
    value = ShowParameter(*parameter);
    return !value.empty();
  };
  return Fill(found->second, [&](absl::string_view name, std::string& value) {
    // History tells of a symptom by the key of its title; the title's own
    // parameters stand beside it.
    const v1::Parameter* parameter =
        name == "symptom" ? Find(text, name) : nullptr;
    if (parameter == nullptr) return plain(name, value);
    const auto title = patterns_.find(parameter->text());
    if (title == patterns_.end()) return plain(name, value);
    value = Fill(title->second, plain);
    return true;
  });
}

}  // namespace forewarn::words
