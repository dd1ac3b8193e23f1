#include "collector/desk/problem_entry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "collector/desk/ticket_change.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::desk {
namespace {

using ::forewarn::correlate::ProblemChange;
using ::forewarn::wire::ToStamp;
using ::forewarn::wire::ToTime;
using Kind = ProblemChange::Kind;

v1::Parameter Count(uint32_t members) {
  v1::Parameter parameter;
  parameter.set_name("count");
  parameter.mutable_quantity()->set_value(members);
  parameter.mutable_quantity()->set_unit("{endpoint}");
  return parameter;
}

// "20 endpoints at once (site oslo): <title of the first one's symptom>".
v1::Text TitleOf(const v1::Problem& problem, const v1::Text& example) {
  v1::Text title;
  title.set_key(problem.factor().empty() ? "desk.problem.title"
                                         : "desk.problem.title_with_factor");
  *title.add_parameters() = Count(problem.members());
  if (!problem.factor().empty()) {
    *title.add_parameters() = TextParameter(
        "factor", absl::StrCat(problem.factor_kind(), " ", problem.factor()));
  }
  *title.add_parameters() = TextParameter("symptom", example.key());
  // The symptom's own parameters: of one endpoint, named as an example.
  for (const v1::Parameter& parameter : example.parameters()) {
    *title.add_parameters() = parameter;
  }
  return title;
}

// The parameters of the first member's symptom, out of a title made before.
v1::Text ExampleIn(const v1::Text& title) {
  v1::Text example;
  for (const v1::Parameter& parameter : title.parameters()) {
    if (parameter.name() == "symptom") {
      example.set_key(parameter.text());
    } else if (parameter.name() != "count" && parameter.name() != "factor") {
      *example.add_parameters() = parameter;
    }
  }
  return example;
}

absl::Status Join(const ProblemChange& change, const v1::Problem& problem,
                  DeskTransaction& rows,
                  const std::vector<OutboxChannel>& channels, absl::Time now) {
  for (const uint32_t id : change.incidents) {
    FOREWARN_RETURN_IF_ERROR(rows.problems().AddMember(problem.id(), id));
    FOREWARN_ASSIGN_OR_RETURN(const v1::Incident incident,
                              rows.incidents().FindIncident(id));
    FOREWARN_ASSIGN_OR_RETURN(v1::Ticket ticket,
                              rows.tickets().FindTicket(incident.ticket()));
    if (ticket.problem() == problem.ticket()) continue;
    TicketChange entry(rows, std::move(ticket), channels, now);
    entry.ticket().set_problem(problem.ticket());
    // What nobody was told yet, the problem tells.
    FOREWARN_RETURN_IF_ERROR(rows.outbox().Withdraw(entry.ticket().id()));
    FOREWARN_RETURN_IF_ERROR(entry.Record(
        "joined_problem", kForewarn,
        {TextParameter("problem", absl::StrCat(problem.ticket()))}));
    FOREWARN_RETURN_IF_ERROR(entry.Save());
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Problem> Open(const ProblemChange& change,
                                 DeskTransaction& rows,
                                 const std::vector<OutboxChannel>& channels,
                                 absl::Time now) {
  v1::Problem problem = change.problem;
  FOREWARN_RETURN_IF_ERROR(rows.problems().InsertProblem(problem));
  v1::Ticket ticket;
  ticket.set_kind(v1::PROBLEM);
  ticket.set_state(v1::NEW);
  ticket.set_priority(change.priority);
  ticket.set_subsystem(problem.subsystem());
  if (problem.factor_kind() == "site") ticket.set_site(problem.factor());
  ticket.set_members(problem.members());
  *ticket.mutable_title() = TitleOf(problem, change.example);
  *ticket.mutable_opened_at() = ToStamp(now);
  FOREWARN_RETURN_IF_ERROR(rows.tickets().InsertTicket(ticket));
  problem.set_ticket(ticket.id());
  FOREWARN_RETURN_IF_ERROR(rows.problems().UpdateProblem(problem));
  FOREWARN_RETURN_IF_ERROR(Join(change, problem, rows, channels, now));

  TicketChange entry(rows, std::move(ticket), channels, now);
  FOREWARN_RETURN_IF_ERROR(
      entry.Record("problem_opened", kForewarn, {Count(problem.members())}));
  FOREWARN_RETURN_IF_ERROR(entry.Notify("opened"));
  FOREWARN_RETURN_IF_ERROR(entry.Save());
  return problem;
}

absl::Status Grow(const ProblemChange& change, TicketChange& entry) {
  v1::Ticket& ticket = entry.ticket();
  const v1::Problem& problem = change.problem;
  *ticket.mutable_title() = TitleOf(problem, ExampleIn(ticket.title()));
  ticket.set_members(problem.members());
  ticket.set_site(problem.factor_kind() == "site" ? problem.factor() : "");
  if (!entry.IsOpen() && !change.incidents.empty()) {
    // It goes on: others have it now.
    FOREWARN_RETURN_IF_ERROR(entry.Move(Verb::kReopenByItself));
    if (change.priority != v1::PRIORITY_UNSPECIFIED) {
      ticket.set_priority(change.priority);
    }
    FOREWARN_RETURN_IF_ERROR(
        entry.Record("problem_goes_on", kForewarn, {Count(problem.members())}));
    return entry.Notify("reopened");
  }
  // Worse than any before: worth a word.
  if (!entry.IsOpen() || change.priority == v1::PRIORITY_UNSPECIFIED ||
      change.priority >= ticket.priority()) {
    return absl::OkStatus();
  }
  const v1::Priority before = ticket.priority();
  ticket.set_priority(change.priority);
  FOREWARN_RETURN_IF_ERROR(entry.Record(
      "priority_raised", kForewarn,
      {TextParameter("from", v1::Priority_Name(before)),
       TextParameter("priority", v1::Priority_Name(change.priority))}));
  return entry.Notify("priority_raised");
}

absl::Status Close(const ProblemChange& change, absl::Time now,
                   TicketChange& entry) {
  if (!entry.IsOpen()) return absl::OkStatus();
  const std::vector<v1::Parameter> since = {
      DurationParameter("duration", now - ToTime(change.problem.opened_at()))};
  if (entry.ticket().touched() || entry.ticket().state() != v1::NEW) {
    return entry.Record("problem_recovered_noted", kForewarn, since);
  }
  FOREWARN_RETURN_IF_ERROR(entry.Move(Verb::kResolveByItself));
  FOREWARN_RETURN_IF_ERROR(
      entry.Record("problem_resolved_by_itself", kForewarn, since));
  return entry.Notify("resolved");
}

}  // namespace

absl::StatusOr<v1::Problem> EnterProblemChange(
    const ProblemChange& change, DeskTransaction& rows,
    const std::vector<OutboxChannel>& channels, absl::Time now) {
  if (change.kind == Kind::kOpened) return Open(change, rows, channels, now);
  const v1::Problem& problem = change.problem;
  FOREWARN_RETURN_IF_ERROR(rows.problems().UpdateProblem(problem));
  FOREWARN_RETURN_IF_ERROR(Join(change, problem, rows, channels, now));
  FOREWARN_ASSIGN_OR_RETURN(v1::Ticket ticket,
                            rows.tickets().FindTicket(problem.ticket()));
  TicketChange entry(rows, std::move(ticket), channels, now);
  FOREWARN_RETURN_IF_ERROR(change.kind == Kind::kClosed
                               ? Close(change, now, entry)
                               : Grow(change, entry));
  FOREWARN_RETURN_IF_ERROR(entry.Save());
  return problem;
}

}  // namespace forewarn::desk
