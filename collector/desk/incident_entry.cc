#include "collector/desk/incident_entry.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "collector/correlate/symptom_order.h"
#include "collector/desk/ticket_change.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::desk {
namespace {

using ::forewarn::correlate::IncidentChange;
using ::forewarn::wire::ToStamp;
using ::forewarn::wire::ToTime;
using Kind = IncidentChange::Kind;

// A symptom in a history row: the key of its title, the title's own
// parameters beside it.
std::vector<v1::Parameter> About(const v1::Symptom& symptom) {
  std::vector<v1::Parameter> parameters = {
      TextParameter("symptom", symptom.title().key()),
      TextParameter("fingerprint", symptom.fingerprint()),
      TextParameter("rule", symptom.rule()),
      TextParameter("priority", v1::Priority_Name(symptom.priority()))};
  parameters.insert(parameters.end(), symptom.title().parameters().begin(),
                    symptom.title().parameters().end());
  return parameters;
}

absl::Status SaveSymptoms(const IncidentChange& change,
                          const v1::Incident& incident, DeskTransaction& rows) {
  for (v1::Symptom symptom : change.symptoms) {
    symptom.set_incident(incident.id());
    symptom.set_ticket(incident.ticket());
    FOREWARN_RETURN_IF_ERROR(rows.symptoms().SaveSymptom(symptom));
  }
  return absl::OkStatus();
}

// What the ticket shows of its incident: title, subsystem, the nearest limit.
void Describe(const IncidentChange& change, v1::Ticket& ticket) {
  if (!change.title.key().empty()) *ticket.mutable_title() = change.title;
  if (!change.subsystem.empty()) ticket.set_subsystem(change.subsystem);
  if (change.limit_at != absl::InfiniteFuture()) {
    *ticket.mutable_limit_at() = ToStamp(change.limit_at);
  } else if (change.priority != v1::PRIORITY_UNSPECIFIED) {
    ticket.clear_limit_at();  // something presses, and none has a limit
  }
}

absl::StatusOr<v1::Incident> Open(const IncidentChange& change,
                                  DeskTransaction& rows,
                                  const std::vector<OutboxChannel>& channels,
                                  absl::Time now) {
  if (change.symptoms.empty() || change.priority == v1::PRIORITY_UNSPECIFIED ||
      change.priority == v1::INFO) {
    return absl::InvalidArgumentError(
        "open ticket: the incident has no symptom that weighs");
  }
  v1::Incident incident = change.incident;
  FOREWARN_RETURN_IF_ERROR(rows.incidents().InsertIncident(incident));
  v1::Ticket ticket;
  ticket.set_kind(v1::INCIDENT);
  ticket.set_state(v1::NEW);
  ticket.set_priority(change.priority);
  ticket.set_endpoint_id(incident.endpoint_id());
  ticket.set_host_name(change.symptoms.front().host_name());
  ticket.set_incident(incident.id());
  *ticket.mutable_opened_at() = ToStamp(now);
  FOREWARN_RETURN_IF_ERROR(rows.tickets().InsertTicket(ticket));
  incident.set_ticket(ticket.id());
  FOREWARN_RETURN_IF_ERROR(rows.incidents().UpdateIncident(incident));
  FOREWARN_RETURN_IF_ERROR(SaveSymptoms(change, incident, rows));

  TicketChange entry(rows, std::move(ticket), channels, now);
  Describe(change, entry.ticket());
  FOREWARN_RETURN_IF_ERROR(
      entry.Record("opened", kForewarn, About(change.symptoms.front())));
  FOREWARN_RETURN_IF_ERROR(entry.Notify("opened"));
  FOREWARN_RETURN_IF_ERROR(entry.Save());
  return incident;
}

// A resolved ticket is opened again by a symptom that comes, comes back or
// gets worse than the ticket was; one that stood on when a person resolved it
// is their decision.
bool Reopens(const IncidentChange& change, const v1::Ticket& ticket) {
  if (IsOpen(ticket.state())) return false;
  if (change.symptoms.empty() || !correlate::Presses(change.symptoms.front())) {
    return false;
  }
  switch (change.kind) {
    case Kind::kJoined:
    case Kind::kReopened:
      return true;
    case Kind::kUpdated:
      return change.priority < ticket.priority();
    default:
      return false;
  }
}

absl::Status FollowPriority(const IncidentChange& change, TicketChange& entry) {
  v1::Ticket& ticket = entry.ticket();
  if (!entry.IsOpen() || change.priority == v1::PRIORITY_UNSPECIFIED ||
      change.priority == ticket.priority()) {
    return absl::OkStatus();
  }
  const bool raised = change.priority < ticket.priority();
  std::vector<v1::Parameter> step = {
      TextParameter("from", v1::Priority_Name(ticket.priority())),
      TextParameter("priority", v1::Priority_Name(change.priority)),
      // Damped apart for each priority it comes to.
      TextParameter("fingerprint", v1::Priority_Name(change.priority))};
  ticket.set_priority(change.priority);
  FOREWARN_ASSIGN_OR_RETURN(
      const bool recorded,
      entry.RecordDamped(raised ? "priority_raised" : "priority_lowered",
                         std::move(step)));
  return raised && recorded ? entry.Notify("priority_raised")
                            : absl::OkStatus();
}

absl::Status RecordSymptoms(const IncidentChange& change, absl::Time now,
                            TicketChange& entry) {
  if (change.kind == Kind::kJoined || change.kind == Kind::kReopened) {
    return entry.RecordDamped("symptom_joined", About(change.symptoms.front()))
        .status();
  }
  if (change.kind != Kind::kCleared && change.kind != Kind::kAllClear) {
    return absl::OkStatus();
  }
  for (const v1::Symptom& symptom : change.symptoms) {
    if (!symptom.has_cleared_at()) continue;
    FOREWARN_RETURN_IF_ERROR(
        entry.RecordDamped("symptom_cleared", About(symptom)).status());
  }
  if (change.kind == Kind::kCleared) return absl::OkStatus();
  const absl::Duration quiet = ToTime(change.incident.resolve_after()) - now;
  return entry.RecordDamped("all_clear", {DurationParameter("duration", quiet)})
      .status();
}

absl::Status Update(const IncidentChange& change, DeskTransaction& rows,
                    absl::Time now, TicketChange& entry) {
  if (!Reopens(change, entry.ticket())) {
    FOREWARN_RETURN_IF_ERROR(RecordSymptoms(change, now, entry));
    return FollowPriority(change, entry);
  }
  FOREWARN_RETURN_IF_ERROR(
      rows.incidents().ClaimFingerprints(entry.ticket().incident()));
  FOREWARN_RETURN_IF_ERROR(entry.Move(Verb::kReopenByItself));
  entry.ticket().set_priority(change.priority);
  FOREWARN_RETURN_IF_ERROR(entry.Record("reopened_by_itself", kForewarn,
                                        About(change.symptoms.front())));
  return entry.Notify("reopened");
}

absl::Status Close(const IncidentChange& change, DeskTransaction& rows,
                   absl::Time now, TicketChange& entry) {
  if (entry.IsOpen()) {
    const std::vector<v1::Parameter> since = {DurationParameter(
        "duration", now - ToTime(change.incident.cleared_at()))};
    if (entry.ticket().touched() || entry.ticket().state() != v1::NEW) {
      return entry.Record("recovered_noted", kForewarn, since);
    }
    FOREWARN_RETURN_IF_ERROR(entry.Move(Verb::kResolveByItself));
    FOREWARN_RETURN_IF_ERROR(
        entry.Record("resolved_by_itself", kForewarn, since));
    FOREWARN_RETURN_IF_ERROR(entry.Notify("resolved"));
  }
  return rows.incidents().ReleaseFingerprints(entry.ticket().incident());
}

}  // namespace

absl::StatusOr<v1::Incident> EnterIncidentChange(
    const IncidentChange& change, DeskTransaction& rows,
    const std::vector<OutboxChannel>& channels, absl::Time now) {
  if (change.kind == Kind::kNoted) {
    for (const v1::Symptom& symptom : change.symptoms) {
      FOREWARN_RETURN_IF_ERROR(rows.symptoms().SaveSymptom(symptom));
    }
    return change.incident;
  }
  if (change.kind == Kind::kOpened) return Open(change, rows, channels, now);

  const v1::Incident& incident = change.incident;
  FOREWARN_RETURN_IF_ERROR(rows.incidents().UpdateIncident(incident));
  FOREWARN_RETURN_IF_ERROR(SaveSymptoms(change, incident, rows));
  FOREWARN_ASSIGN_OR_RETURN(v1::Ticket ticket,
                            rows.tickets().FindTicket(incident.ticket()));
  TicketChange entry(rows, std::move(ticket), channels, now);
  if (change.kind == Kind::kResolved) {
    FOREWARN_RETURN_IF_ERROR(Close(change, rows, now, entry));
  } else {
    Describe(change, entry.ticket());
    FOREWARN_RETURN_IF_ERROR(Update(change, rows, now, entry));
  }
  FOREWARN_RETURN_IF_ERROR(entry.Save());
  return incident;
}

}  // namespace forewarn::desk
