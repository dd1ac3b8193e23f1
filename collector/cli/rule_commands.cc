#include <errno.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "collector/cli/commands.h"
#include "protos/base/status.h"

namespace forewarn::cli {
namespace {

// What fits into a request of the API with room for escapes.
constexpr size_t kLargestFile = 512 * 1024;

std::string PrioritiesOf(const v1::Rule& rule) {
  std::string text;
  for (const v1::Level& level : rule.levels()) {
    absl::StrAppend(&text, text.empty() ? "" : ",", level.priority());
  }
  for (const v1::ForecastLevel& level : rule.forecast().levels()) {
    absl::StrAppend(&text, text.empty() ? "" : ",", level.priority());
  }
  return text;
}

// "12 of 14" of the forecasts whose time has come.
std::string CameTrue(const std::string& rule, const v1::RuleList& list) {
  for (const v1::ForecastTally& tally : list.forecasts()) {
    if (tally.rule() != rule) continue;
    const uint32_t came = tally.hits() + tally.early() + tally.late();
    return absl::StrCat(came, " of ", came + tally.misses(),
                        tally.evidence_only() ? ", evidence only" : "");
  }
  return "-";
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    // Not kNotFound: that is what the collector says of its own things.
    return absl::InvalidArgumentError(
        base::ErrnoStatus(errno, absl::StrCat("read ", path)).message());
  }
  std::string text(kLargestFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return base::ErrnoStatus(errno, absl::StrCat("read ", path));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kLargestFile) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has more than 512 KiB"));
  }
  if (text.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is empty or no file"));
  }
  return text;
}

}  // namespace

absl::Status ListRules(Session& session) {
  auto answer = session.Get("/api/v1/rules");
  if (!answer.ok()) return base::Annotate(answer.status(), "list rules");
  if (!session.output().table()) {
    session.output().Show(*answer);
    return absl::OkStatus();
  }
  v1::RuleList list;
  FOREWARN_RETURN_IF_ERROR(ReadMessage(*answer, list));
  TextTable table(
      {"RULE", "SUBSYSTEM", "KIND", "PRIO", "CLASSES", "CAME TRUE", "METRIC",
       "TITLE"});
  for (const v1::Rule& rule : list.rules()) {
    table.Add(
        {rule.id(), rule.subsystem(),
         rule.disabled()       ? "disabled"
         : rule.has_forecast() ? "forecast"
                               : "rule",
         PrioritiesOf(rule),
         rule.classes().empty() ? "all" : absl::StrJoin(rule.classes(), ","),
         CameTrue(rule.id(), list), rule.signal().metric(), rule.title()});
  }
  session.output().Show(table);
  return absl::OkStatus();
}

absl::Status CheckRules(Session& session, const std::string& path) {
  v1::CheckRulesRequest request;
  request.set_file_name(path.substr(path.find_last_of('/') + 1));
  FOREWARN_ASSIGN_OR_RETURN(*request.mutable_yaml(), ReadFile(path));
  auto answer = session.Post("/api/v1/rules/check", request);
  if (absl::IsUnauthenticated(answer.status())) {
    return base::Annotate(answer.status(),
                          "check rules: the collector does it, and it must "
                          "know who asks");
  }
  if (!answer.ok()) return base::Annotate(answer.status(), "check rules");
  v1::CheckRulesResponse verdict;
  FOREWARN_RETURN_IF_ERROR(ReadMessage(*answer, verdict));
  if (!session.output().table()) {
    session.output().Show(*answer);
  } else if (verdict.valid()) {
    session.output().ShowText(
        absl::StrCat(path, ": ", verdict.rules(), " rules, no errors"));
  } else {
    session.output().ShowText(absl::StrJoin(verdict.errors(), "\n"));
  }
  if (verdict.valid()) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat(path, " has ", verdict.errors_size(), " errors"));
}

}  // namespace forewarn::cli
