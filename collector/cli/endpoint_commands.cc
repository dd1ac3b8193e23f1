#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "collector/cli/commands.h"
#include "protos/base/status.h"

namespace forewarn::cli {
namespace {

TextTable::Cell PresenceCell(v1::Presence presence) {
  const Mark mark = presence == v1::PRESENCE_ONLINE ? Mark::kGood
                    : presence == v1::PRESENCE_LOST ? Mark::kBad
                                                    : Mark::kDim;
  return {ShowEnum(v1::Presence_Name(presence), "PRESENCE_"), mark};
}

std::string ClassOf(const v1::EndpointFacts& facts) {
  return ShowEnum(v1::EndpointClass_Name(facts.endpoint_class()),
                  "ENDPOINT_CLASS_");
}

std::string OrDash(const std::string& text) {
  return text.empty() ? "-" : text;
}

void ShowDetail(const v1::EndpointDetail& detail, Output& output) {
  const v1::Endpoint& endpoint = detail.endpoint();
  const v1::EndpointFacts& facts = endpoint.facts();
  TextTable about({"ENDPOINT", facts.host_name()});
  about.Add({"number", absl::StrCat(endpoint.number())});
  about.Add({"id", endpoint.id()});
  about.Add({"presence", PresenceCell(endpoint.presence())});
  about.Add({"last seen",
             ShowTime(endpoint.last_seen_at(), endpoint.has_last_seen_at())});
  about.Add({"class", ClassOf(facts)});
  about.Add({"site", OrDash(facts.site())});
  about.Add({"tags", OrDash(absl::StrJoin(facts.tags(), ", "))});
  about.Add({"owner", OrDash(facts.owner())});
  about.Add(
      {"system", absl::StrCat(facts.os_name(), " ", facts.os_version(), ", ",
                              facts.kernel(), ", ", facts.architecture())});
  about.Add({"machine", absl::StrCat(facts.vendor(), " ", facts.model(), ", ",
                                     facts.cpu_count(), " CPUs, ",
                                     facts.memory_bytes() >> 20, " MiB")});
  about.Add({"agent", OrDash(endpoint.agent_version())});
  about.Add({"enrolled",
             ShowTime(endpoint.enrolled_at(), endpoint.has_enrolled_at())});
  about.Add(
      {"certificate until", ShowTime(endpoint.certificate_expires_at(),
                                     endpoint.has_certificate_expires_at())});
  if (endpoint.has_revoked_at()) {
    about.Add({"revoked", {ShowTime(endpoint.revoked_at(), true), Mark::kBad}});
  }
  about.Add({"series", absl::StrCat(endpoint.series_count())});
  about.Add({"open tickets", absl::StrCat(endpoint.open_tickets())});
  output.Show(about);

  TextTable symptoms({"OPEN SYMPTOM", "PRIO", "SINCE", "TICKET"});
  for (const v1::Symptom& symptom : detail.open_symptoms()) {
    symptoms.Add(
        {symptom.rule(), PriorityCell(symptom.priority()),
         ShowTime(symptom.opened_at(), symptom.has_opened_at()),
         symptom.ticket() == 0 ? "-" : absl::StrCat(symptom.ticket())});
  }
  if (!symptoms.empty()) {
    output.ShowText("");
    output.Show(symptoms);
  }
  TextTable tickets({"TICKET", "PRIO", "STATE", "OPENED", "TITLE"});
  for (const v1::Ticket& ticket : detail.tickets()) {
    tickets.Add({absl::StrCat(ticket.id()), PriorityCell(ticket.priority()),
                 ShowEnum(v1::TicketState_Name(ticket.state())),
                 ShowTime(ticket.opened_at(), ticket.has_opened_at()),
                 ticket.title_text()});
  }
  if (!tickets.empty()) {
    output.ShowText("");
    output.Show(tickets);
  }
}

}  // namespace

absl::Status ListEndpoints(Session& session,
                           const EndpointListOptions& options) {
  std::string path = "/api/v1/endpoints";
  if (!options.site.empty()) {
    absl::StrAppend(&path, "?site=", EscapeForUrl(options.site));
  }
  auto answer = session.GetList(path, "endpoints", options.limit);
  if (!answer.ok()) return base::Annotate(answer.status(), "list endpoints");
  if (!session.output().table()) {
    session.output().Show(*answer);
    return absl::OkStatus();
  }
  v1::EndpointList list;
  FOREWARN_RETURN_IF_ERROR(ReadMessage(*answer, list));
  TextTable table({"NUMBER", "HOST", "CLASS", "SITE", "PRESENCE", "LAST SEEN",
                   "SERIES", "TICKETS"});
  for (const v1::Endpoint& endpoint : list.endpoints()) {
    table.Add({absl::StrCat(endpoint.number()), endpoint.facts().host_name(),
               ClassOf(endpoint.facts()), OrDash(endpoint.facts().site()),
               PresenceCell(endpoint.presence()),
               ShowTime(endpoint.last_seen_at(), endpoint.has_last_seen_at()),
               absl::StrCat(endpoint.series_count()),
               absl::StrCat(endpoint.open_tickets())});
  }
  if (table.empty()) {
    session.output().Say(
        "No endpoint is enrolled; `forewarn token create --kind enroll` "
        "makes a token for one.");
    return absl::OkStatus();
  }
  session.output().Show(table);
  return absl::OkStatus();
}

absl::Status ShowEndpoint(Session& session, const std::string& name) {
  auto answer =
      session.Get(absl::StrCat("/api/v1/endpoints/", EscapeForUrl(name)));
  if (!answer.ok()) return base::Annotate(answer.status(), "show an endpoint");
  if (!session.output().table()) {
    session.output().Show(*answer);
    return absl::OkStatus();
  }
  v1::EndpointDetail detail;
  FOREWARN_RETURN_IF_ERROR(ReadMessage(*answer, detail));
  ShowDetail(detail, session.output());
  return absl::OkStatus();
}

}  // namespace forewarn::cli
