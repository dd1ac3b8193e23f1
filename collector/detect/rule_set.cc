#include "collector/detect/rule_set.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "collector/detect/rule_check.h"
#include "protos/wire/yaml_to_proto.h"

namespace forewarn::detect {
namespace {

absl::string_view ClassName(v1::EndpointClass endpoint_class) {
  switch (endpoint_class) {
    case v1::ENDPOINT_CLASS_WORKSTATION:
      return "workstation";
    case v1::ENDPOINT_CLASS_LAPTOP:
      return "laptop";
    case v1::ENDPOINT_CLASS_DEVICE:
      return "device";
    default:
      return "server";
  }
}

bool Contains(const google::protobuf::RepeatedPtrField<std::string>& list,
              absl::string_view wanted) {
  return std::any_of(list.begin(), list.end(),
                     [wanted](const std::string& s) { return s == wanted; });
}

bool Concerns(const v1::RuleOverride& override_, const v1::Rule& rule,
              const EndpointProfile& endpoint) {
  const std::string& site = override_.site();
  const std::string& tag = override_.tag();
  const std::string& host = override_.host_name();
  const std::string& kind = override_.endpoint_class();
  return (override_.rule() == "*" || override_.rule() == rule.id()) &&
         (kind.empty() || kind == ClassName(endpoint.endpoint_class)) &&
         (site.empty() || site == endpoint.site) &&
         (host.empty() || host == endpoint.host_name) &&
         (tag.empty() || std::find(endpoint.tags.begin(), endpoint.tags.end(),
                                   tag) != endpoint.tags.end());
}

void ApplyToLevel(const v1::RuleOverride& change, v1::Level& level) {
  if (change.has_hold()) *level.mutable_hold() = change.hold();
  if (change.has_clear_hold()) {
    *level.mutable_clear_hold() = change.clear_hold();
  }
  if (!change.priority().empty()) {
    level.set_priority(change.priority());
    level.clear_priority_by_class();
  }
  if (change.has_above() && level.has_above()) level.set_above(change.above());
  if (change.has_below() && level.has_below()) level.set_below(change.below());
  if (change.has_clear()) level.set_clear(change.clear());
  if (!level.has_clear()) return;
  // A level that clears beyond where it is entered would flap.
  if (level.has_above()) {
    level.set_clear(std::min(level.clear(), level.above()));
  } else {
    level.set_clear(std::max(level.clear(), level.below()));
  }
}

void Apply(const v1::RuleOverride& change, v1::Rule& rule) {
  if (change.has_disabled()) rule.set_disabled(change.disabled());
  if (change.has_quiet()) *rule.mutable_quiet() = change.quiet();
  if (change.has_arm_after_good()) {
    *rule.mutable_arm_after_good() = change.arm_after_good();
  }
  if (change.has_window() && rule.signal().has_window()) {
    *rule.mutable_signal()->mutable_window() = change.window();
  }
  for (v1::Level& level : *rule.mutable_levels()) ApplyToLevel(change, level);
  for (v1::ForecastLevel& level : *rule.mutable_forecast()->mutable_levels()) {
    if (change.has_hold()) *level.mutable_hold() = change.hold();
    if (!change.priority().empty()) level.set_priority(change.priority());
  }
  if (rule.forecast().levels().empty()) rule.clear_forecast();
}

bool AppliesTo(const v1::Rule& rule, const EndpointProfile& endpoint) {
  return !rule.disabled() &&
         (rule.classes().empty() ||
          Contains(rule.classes(), ClassName(endpoint.endpoint_class)));
}

// Names of the *.yaml files in `directory`, sorted; an error as one line.
std::vector<std::string> YamlFiles(const std::string& directory,
                                   std::vector<std::string>& errors) {
  std::vector<std::string> files;
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  for (; !error && entries != std::filesystem::directory_iterator();
       entries.increment(error)) {
    if (entries->path().extension() == ".yaml") {
      files.push_back(entries->path().string());
    }
  }
  if (error) {
    errors.push_back(
        absl::StrCat("read rule directory ", directory, ": ", error.message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

void Append(std::vector<std::string> more, std::vector<std::string>& errors) {
  std::move(more.begin(), more.end(), std::back_inserter(errors));
}

}  // namespace

std::vector<std::string> RuleSet::CheckFile(absl::string_view yaml,
                                            absl::string_view file_name,
                                            v1::RulePack& pack) {
  std::vector<std::string> errors = wire::YamlToProto(yaml, file_name, pack);
  if (errors.empty()) errors = CheckPack(pack, file_name);
  return errors;
}

void RuleSet::Insert(v1::Rule rule) {
  const auto known = std::find_if(
      rules_.begin(), rules_.end(),
      [&rule](const v1::Rule& other) { return other.id() == rule.id(); });
  if (known == rules_.end()) {
    rules_.push_back(std::move(rule));
  } else {
    *known = std::move(rule);
  }
  by_metric_.clear();
  for (size_t i = 0; i < rules_.size(); ++i) {
    by_metric_[rules_[i].signal().metric()].push_back(i);
  }
}

std::vector<std::string> RuleSet::CheckOverrides(
    absl::string_view origin) const {
  std::vector<std::string> errors;
  for (const v1::RuleOverride& one : overrides_) {
    if (one.rule() != "*" && Find(one.rule()) == nullptr) {
      errors.push_back(absl::StrCat(origin, ": override of rule ", one.rule(),
                                    ": there is no such rule"));
    }
  }
  return errors;
}

std::vector<std::string> RuleSet::Add(absl::string_view yaml,
                                      absl::string_view file_name) {
  v1::RulePack pack;
  std::vector<std::string> errors = CheckFile(yaml, file_name, pack);
  if (!errors.empty()) return errors;
  RuleSet grown = *this;
  for (v1::Rule& rule : *pack.mutable_rules()) grown.Insert(std::move(rule));
  for (v1::RuleOverride& one : *pack.mutable_overrides()) {
    grown.overrides_.push_back(std::move(one));
  }
  errors = grown.CheckOverrides(file_name);
  if (errors.empty()) *this = std::move(grown);
  return errors;
}

std::vector<std::string> RuleSet::Load(
    const std::string& directory,
    absl::Span<const v1::RuleOverride> overrides, RuleSet& out) {
  std::vector<std::string> errors;
  RuleSet set;
  for (const EmbeddedFile& file : ShippedRules()) {
    Append(set.Add(file.text, file.name), errors);
  }
  if (!directory.empty()) {
    for (const std::string& path : YamlFiles(directory, errors)) {
      std::ifstream stream(path, std::ios::binary);
      const std::string text((std::istreambuf_iterator<char>(stream)),
                             std::istreambuf_iterator<char>());
      if (!stream) {
        errors.push_back(absl::StrCat("read rule file ", path, ": failed"));
        continue;
      }
      Append(set.Add(text, path), errors);
    }
  }
  const size_t known = set.overrides_.size();
  set.overrides_.insert(set.overrides_.end(), overrides.begin(),
                        overrides.end());
  for (size_t i = known; i < set.overrides_.size(); ++i) {
    Append(CheckOverride(set.overrides_[i], "configuration"), errors);
  }
  Append(set.CheckOverrides("configuration"), errors);
  if (errors.empty()) out = std::move(set);
  return errors;
}

const v1::Rule* RuleSet::Find(absl::string_view id) const {
  for (const v1::Rule& rule : rules_) {
    if (rule.id() == id) return &rule;
  }
  return nullptr;
}

std::vector<std::shared_ptr<const v1::Rule>> RuleSet::SharedRulesFor(
    const EndpointProfile& endpoint, absl::string_view metric) const {
  std::vector<std::shared_ptr<const v1::Rule>> found;
  const auto it = by_metric_.find(metric);
  if (it == by_metric_.end()) return found;
  for (const size_t i : it->second) {
    const v1::Rule& rule = rules_[i];
    std::shared_ptr<v1::Rule> changed;
    for (const v1::RuleOverride& one : overrides_) {
      if (!Concerns(one, rule, endpoint)) continue;
      if (changed == nullptr) changed = std::make_shared<v1::Rule>(rule);
      Apply(one, *changed);
    }
    // Two lifetimes: a changed rule is the caller's, an unchanged one ours.
    std::shared_ptr<const v1::Rule> result = changed;
    if (result == nullptr) {
      result = std::shared_ptr<const v1::Rule>(std::shared_ptr<void>(), &rule);
    }
    if (AppliesTo(*result, endpoint)) found.push_back(std::move(result));
  }
  return found;
}

std::vector<v1::Rule> RuleSet::RulesFor(const EndpointProfile& endpoint,
                                        absl::string_view metric) const {
  std::vector<v1::Rule> rules;
  for (const auto& rule : SharedRulesFor(endpoint, metric)) {
    rules.push_back(*rule);
  }
  return rules;
}

}  // namespace forewarn::detect
