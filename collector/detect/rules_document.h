#ifndef FOREWARN_COLLECTOR_DETECT_RULES_DOCUMENT_H_
#define FOREWARN_COLLECTOR_DETECT_RULES_DOCUMENT_H_

#include <string>

#include "collector/detect/rule_set.h"

namespace forewarn::detect {

// docs/rules.md as the rules have it: what each one looks at, in words, and
// what is not covered yet.
std::string RulesDocument(const RuleSet& rules);

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_RULES_DOCUMENT_H_
