#ifndef FOREWARN_COLLECTOR_DETECT_RULE_CHECK_H_
#define FOREWARN_COLLECTOR_DETECT_RULE_CHECK_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "forewarn/v1/rules.pb.h"

namespace forewarn::detect {

// What the YAML reader cannot know: metrics and attributes that exist, levels
// that can be entered and cleared, windows where functions need them,
// placeholders that mean something. Each error is "file: rule id: what".
std::vector<std::string> CheckPack(const v1::RulePack& pack,
                                   absl::string_view file_name);

std::vector<std::string> CheckOverride(const v1::RuleOverride& change,
                                       absl::string_view origin);

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_RULE_CHECK_H_
