#include <errno.h>

#include <fstream>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "collector/cli/commands.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

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

// "would have opened 14 tickets on 9 endpoints", and which.
void ShowPast(Session& session, const v1::BacktestRulesResponse& past) {
  if (!past.errors().empty()) {
    session.output().ShowText(absl::StrJoin(past.errors(), "\n"));
    return;
  }
  std::set<std::string> endpoints;
  TextTable table({"OPENED", "CLOSED", "PRIO", "ENDPOINT", "TITLE"});
  for (const v1::BacktestTicket& ticket : past.tickets()) {
    endpoints.insert(ticket.endpoint_id());
    table.Add({ShowTime(ticket.opened_at(), ticket.has_opened_at()),
               ShowTime(ticket.closed_at(), ticket.has_closed_at()),
               PriorityCell(ticket.priority()), ticket.host_name(),
               ticket.title_text()});
  }
  session.output().ShowText(absl::StrCat(
      "would have opened ", past.tickets_size(), " tickets on ",
      endpoints.size(), " endpoints; looked at ", past.endpoints(), " of ",
      past.fleet(), " endpoints, ", past.samples(), " samples"));
  if (past.tickets_size() > 0) session.output().Show(table);
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
  TextTable table({"RULE", "SUBSYSTEM", "KIND", "PRIO", "CLASSES", "CAME TRUE",
                   "METRIC", "TITLE"});
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

absl::Status BacktestRules(Session& session, const std::string& path,
                           double since_seconds) {
  v1::BacktestRulesRequest request;
  request.set_file_name(path.substr(path.find_last_of('/') + 1));
  FOREWARN_ASSIGN_OR_RETURN(*request.mutable_yaml(), ReadFile(path));
  const absl::Time now = absl::Now();
  *request.mutable_to() = wire::ToStamp(now);
  *request.mutable_from() = wire::ToStamp(now - absl::Seconds(since_seconds));
  v1::BacktestRulesResponse all;
  do {
    auto answer = session.Post("/api/v1/rules/backtest", request);
    if (!answer.ok()) return base::Annotate(answer.status(), "backtest rules");
    v1::BacktestRulesResponse page;
    FOREWARN_RETURN_IF_ERROR(ReadMessage(*answer, page));
    page.set_endpoints(page.endpoints() + all.endpoints());
    page.set_samples(page.samples() + all.samples());
    all.clear_next_cursor();
    all.MergeFrom(page);
    request.set_cursor(all.next_cursor());
    if (!all.next_cursor().empty()) {
      session.output().Say(absl::StrCat(all.endpoints(), " of ", all.fleet(),
                                        " endpoints, ", all.tickets_size(),
                                        " tickets so far"));
    }
  } while (!all.next_cursor().empty());
  if (!session.output().table()) {
    session.output().Show(all);
  } else {
    ShowPast(session, all);
  }
  for (const std::string& unread : all.unread()) {
    session.output().Say(absl::StrCat("not read: ", unread));
  }
  if (all.errors().empty()) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat(path, " has ", all.errors_size(), " errors"));
}

}  // namespace forewarn::cli
