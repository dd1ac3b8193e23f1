#include <algorithm>
#include <exception>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "protos/base/status.h"
#include "protos/wire/metric_catalog.h"
#include "tests/scenarios/scenario.h"
#include "yaml-cpp/yaml.h"

namespace forewarn::scenarios {
namespace {

// What an attribute is when a scenario does not say.
std::string UsualValue(absl::string_view key) {
  if (key == "system.filesystem.mountpoint") return "/srv";
  if (key == "system.filesystem.type") return "ext4";
  if (key == "system.device") return "sda";
  if (key == "network.interface.name") return "eth0";
  if (key == "network.io.direction") return "receive";
  if (key == "disk.io.direction") return "read";
  if (key == "server.address") return "192.0.2.1";
  if (key == "systemd.unit.name") return "shop.service";
  if (key == "forewarn.certificate.path") return "/etc/ssl/shop.pem";
  if (key == "forewarn.certificate.subject") return "shop.example";
  if (key == "forewarn.probe.type") return "http";
  if (key == "forewarn.source") return "disk";
  return "one";
}

// "metric{key=value,key=value}" as the catalogue has it.
absl::StatusOr<wire::SeriesDefinition> ParseSeries(absl::string_view text) {
  wire::SeriesDefinition series;
  absl::string_view given;
  const size_t brace = text.find('{');
  if (brace != absl::string_view::npos) {
    given = text.substr(brace + 1);
    if (!absl::ConsumeSuffix(&given, "}")) {
      return absl::InvalidArgumentError(
          absl::StrCat("series \"", text, "\" lacks its closing brace"));
    }
  }
  series.metric = std::string(text.substr(0, brace));
  const wire::MetricInfo* info = wire::FindMetric(series.metric);
  if (info == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("metric \"", series.metric, "\" is not in the catalogue"));
  }
  series.unit = info->unit;
  series.kind = info->kind;
  series.digits = info->digits;
  for (const absl::string_view key :
       absl::StrSplit(info->attributes, ',', absl::SkipEmpty())) {
    series.attributes.emplace_back(std::string(key), UsualValue(key));
  }
  for (const absl::string_view pair :
       absl::StrSplit(given, ',', absl::SkipEmpty())) {
    const std::vector<std::string> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    const auto attribute = std::find_if(
        series.attributes.begin(), series.attributes.end(),
        [&](const auto& entry) { return entry.first == parts[0]; });
    if (parts.size() != 2 || attribute == series.attributes.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "series \"", text, "\": the metric has no attribute ", pair));
    }
    attribute->second = parts[1];
  }
  return series;
}

absl::StatusOr<v1::EndpointClass> ParseClass(const std::string& text) {
  v1::EndpointClass endpoint_class;
  if (!v1::EndpointClass_Parse(
          absl::StrCat("ENDPOINT_CLASS_", absl::AsciiStrToUpper(text)),
          &endpoint_class)) {
    return absl::InvalidArgumentError(
        absl::StrCat("class \"", text, "\" does not exist"));
  }
  return endpoint_class;
}

absl::Status ReadExpectation(const std::string& text, Scenario& scenario) {
  switch (scenario.kind) {
    case Kind::kFires:
      if (v1::Priority_Parse(absl::AsciiStrToUpper(text),
                             &scenario.priority) &&
          scenario.priority != v1::PRIORITY_UNSPECIFIED) {
        return absl::OkStatus();
      }
      return absl::InvalidArgumentError(
          absl::StrCat("expect \"", text, "\": want P1 to P4 or info"));
    case Kind::kLookAlike:
      if (text == "none") return absl::OkStatus();
      return absl::InvalidArgumentError("a look-alike expects: none");
    case Kind::kQuiet:
      return absl::InvalidArgumentError("a quiet day expects nothing");
    case Kind::kClears:
      if (text == "cleared") return absl::OkStatus();
      return absl::InvalidArgumentError("clears expects: cleared");
  }
  return absl::InternalError("no such kind");
}

absl::Status ReadOne(const YAML::Node& node, Scenario& scenario) {
  bool expectation = scenario.kind == Kind::kQuiet;
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    if (key == "series") {
      for (const auto& course : entry.second) {
        ScenarioSeries series;
        FOREWARN_ASSIGN_OR_RETURN(series.definition,
                                  ParseSeries(course.first.Scalar()));
        FOREWARN_ASSIGN_OR_RETURN(series.shape,
                                  Shape::Parse(course.second.Scalar()));
        scenario.series.push_back(std::move(series));
      }
    } else if (key == "why" || key == "quiet") {
      scenario.why = entry.second.Scalar();
    } else if (key == "class") {
      FOREWARN_ASSIGN_OR_RETURN(scenario.endpoint_class,
                                ParseClass(entry.second.Scalar()));
    } else if (key == "tick") {
      FOREWARN_ASSIGN_OR_RETURN(scenario.tick,
                                ParseDuration(entry.second.Scalar()));
    } else if (key == "within") {
      FOREWARN_ASSIGN_OR_RETURN(scenario.within,
                                ParseDuration(entry.second.Scalar()));
    } else if (key == "expect") {
      FOREWARN_RETURN_IF_ERROR(
          ReadExpectation(entry.second.Scalar(), scenario));
      expectation = true;
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown key \"", key, "\""));
    }
  }
  if (!expectation || scenario.series.empty()) {
    return absl::InvalidArgumentError("a scenario needs expect and series");
  }
  if (scenario.tick <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("tick must be more than nothing");
  }
  if (scenario.kind == Kind::kFires &&
      scenario.within <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("fires needs within");
  }
  if (scenario.kind == Kind::kLookAlike && scenario.why.empty()) {
    return absl::InvalidArgumentError("a look-alike says why it is one");
  }
  return absl::OkStatus();
}

void Take(const YAML::Node& node, Scenario scenario, std::string place,
          std::vector<Scenario>& scenarios, std::vector<std::string>& errors) {
  scenario.place = std::move(place);
  const absl::Status status = ReadOne(node, scenario);
  if (status.ok()) {
    scenarios.push_back(std::move(scenario));
  } else {
    errors.push_back(absl::StrCat(scenario.place, ": ", status.message()));
  }
}

void ReadRule(const YAML::Node& node, absl::string_view file,
              std::vector<Scenario>& scenarios,
              std::vector<std::string>& errors) {
  const auto place = [&](const YAML::Node& at) {
    return absl::StrCat(file, ":", at.Mark().line + 1);
  };
  if (node["quiet"]) {
    Scenario quiet;
    quiet.kind = Kind::kQuiet;
    return Take(node, quiet, place(node), scenarios, errors);
  }
  const std::string rule = node["rule"].as<std::string>("");
  if (rule.empty()) {
    errors.push_back(absl::StrCat(place(node), ": lacks the key rule"));
    return;
  }
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    if (key == "rule") continue;
    Scenario scenario;
    scenario.rule = rule;
    if (key == "fires") {
      scenario.kind = Kind::kFires;
    } else if (key == "look_alike") {
      scenario.kind = Kind::kLookAlike;
    } else if (key == "clears") {
      scenario.kind = Kind::kClears;
    } else {
      errors.push_back(absl::StrCat(place(entry.first), ": unknown key ", key));
      continue;
    }
    for (const YAML::Node& item : entry.second) {
      Take(item, scenario, place(item), scenarios, errors);
    }
  }
}

}  // namespace

std::vector<Scenario> ReadScenarios(const std::string& path,
                                    std::vector<std::string>& errors) {
  std::vector<Scenario> scenarios;
  const size_t slash = path.rfind('/');
  const std::string file =
      slash == std::string::npos ? path : path.substr(slash + 1);
  // yaml-cpp throws on what it cannot read.
  try {
    for (const YAML::Node& node : YAML::LoadFile(path)) {
      ReadRule(node, file, scenarios, errors);
    }
  } catch (const std::exception& error) {
    errors.push_back(absl::StrCat(file, ": ", error.what()));
  }
  return scenarios;
}

}  // namespace forewarn::scenarios
