#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "collector/cli/commands.h"
#include "protos/base/status.h"

namespace forewarn::cli {
namespace {

// UCUM as people write it.
std::string ShowValue(const v1::Evidence& evidence) {
  if (evidence.unit() == "1" || evidence.unit().empty()) {
    return absl::StrFormat("%.4g", evidence.value());
  }
  return absl::StrFormat("%.4g %s", evidence.value(), evidence.unit());
}

// The series without the words that its metric repeats.
std::string ShowSeries(const v1::Symptom& symptom) {
  std::string text = symptom.metric();
  const char* separator = " ";
  for (const v1::Attribute& attribute : symptom.attributes()) {
    absl::StrAppend(&text, separator, attribute.value());
    separator = ",";
  }
  return text.empty() ? "-" : text;
}

}  // namespace

absl::Status ListSymptoms(Session& session, const SymptomListOptions& options) {
  std::string path =
      absl::StrCat("/api/v1/symptoms?open=", options.all ? "false" : "true");
  if (!options.endpoint.empty()) {
    absl::StrAppend(&path, "&endpoint=", EscapeForUrl(options.endpoint));
  }
  if (!options.rule.empty()) {
    absl::StrAppend(&path, "&rule=", EscapeForUrl(options.rule));
  }
  auto answer = session.GetList(path, "symptoms", options.limit);
  if (!answer.ok()) return base::Annotate(answer.status(), "list symptoms");
  if (!session.output().table()) {
    session.output().Show(*answer);
    return absl::OkStatus();
  }
  v1::SymptomList list;
  FOREWARN_RETURN_IF_ERROR(ReadMessage(*answer, list));
  TextTable table({"PRIO", "ENDPOINT", "RULE", "OPENED", "CLEARED", "VALUE",
                   "TICKET", "SERIES"});
  for (const v1::Symptom& symptom : list.symptoms()) {
    table.Add({PriorityCell(symptom.priority()), symptom.host_name(),
               symptom.rule(),
               ShowTime(symptom.opened_at(), symptom.has_opened_at()),
               ShowTime(symptom.cleared_at(), symptom.has_cleared_at()),
               ShowValue(symptom.evidence()),
               symptom.ticket() == 0 ? "-" : absl::StrCat(symptom.ticket()),
               ShowSeries(symptom)});
  }
  if (table.empty()) {
    session.output().Say(options.all ? "There are no symptoms."
                                     : "No symptom stands; --all shows those "
                                       "that have cleared too.");
    return absl::OkStatus();
  }
  session.output().Show(table);
  return absl::OkStatus();
}

}  // namespace forewarn::cli
