#ifndef FOREWARN_COLLECTOR_DETECT_RULE_SET_H_
#define FOREWARN_COLLECTOR_DETECT_RULE_SET_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "collector/detect/endpoint_profile.h"
#include "forewarn/v1/rules.pb.h"

namespace forewarn::detect {

// The shipped rule pack, embedded in the binary: file name and YAML text.
struct EmbeddedFile {
  const char* name;
  absl::string_view text;
};
absl::Span<const EmbeddedFile> ShippedRules();

// Checked rules with their overrides. Once built it is only read, and then
// thread-safe.
class RuleSet {
 public:
  // The shipped rules, then every *.yaml of `directory` (empty = none) in
  // name order: a rule with a known id replaces it. `overrides` come last.
  // Returns errors as "file:line:col: ..." or "file: rule id: ..."; on errors
  // `out` is left as it was.
  static std::vector<std::string> Load(
      const std::string& directory,
      absl::Span<const v1::RuleOverride> overrides, RuleSet& out);

  // Checks one file on its own, as `forewarn rule check FILE` does: syntax,
  // metrics and attributes in the catalogue, levels that can be entered and
  // cleared, windows where functions need them, placeholders that exist.
  static std::vector<std::string> CheckFile(absl::string_view yaml,
                                            absl::string_view file_name,
                                            v1::RulePack& pack);

  // Adds one file's rules and overrides: a rule with a known id replaces it.
  // On errors nothing changes.
  std::vector<std::string> Add(absl::string_view yaml,
                               absl::string_view file_name);

  const std::vector<v1::Rule>& rules() const { return rules_; }
  const v1::Rule* Find(absl::string_view id) const;

  // The rules that watch series of `metric` on this endpoint, with what the
  // overrides change for it.
  std::vector<v1::Rule> RulesFor(const EndpointProfile& endpoint,
                                 absl::string_view metric) const;

  // The same without copies where no override changes anything: such a rule
  // is the set's own and lives as long as the set.
  std::vector<std::shared_ptr<const v1::Rule>> SharedRulesFor(
      const EndpointProfile& endpoint, absl::string_view metric) const;

 private:
  void Insert(v1::Rule rule);
  std::vector<std::string> CheckOverrides(absl::string_view origin) const;

  std::vector<v1::Rule> rules_;
  std::vector<v1::RuleOverride> overrides_;
  absl::flat_hash_map<std::string, std::vector<size_t>> by_metric_;
};

}  // namespace forewarn::detect

#endif  // FOREWARN_COLLECTOR_DETECT_RULE_SET_H_
