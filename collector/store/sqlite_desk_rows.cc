#include "collector/store/sqlite_desk_rows.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "collector/store/read_rows.h"
#include "protos/base/logging.h"
#include "protos/base/seeded_bug.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::store {
namespace {

using ::forewarn::wire::ToTime;

// A page of anything.
constexpr uint32_t kMostRows = 1000;

int64_t PageOf(uint32_t limit) {
  return std::clamp<uint32_t>(limit, 1, kMostRows);
}

constexpr absl::string_view kResolvedStates = "(5, 6)";  // RESOLVED, CLOSED

}  // namespace

absl::Status SqliteTicketRows::InsertTicket(v1::Ticket& ticket) {
  Statement insert = database_.Prepare(
      "INSERT INTO tickets (incident, endpoint_id, assignee, state, body) "
      "VALUES (?, ?, ?, ?, x'')");
  if (ticket.incident() == 0) {
    insert.BindNull(1);
  } else {
    insert.Bind(1, int64_t{ticket.incident()});
  }
  insert.Bind(2, ticket.endpoint_id())
      .Bind(3, ticket.assignee())
      .Bind(4, int64_t{ticket.state()});
  FOREWARN_RETURN_IF_ERROR(insert.Run());
  ticket.set_id(static_cast<uint32_t>(database_.last_insert_id()));
  return UpdateTicket(ticket);  // the body holds the id
}

absl::Status SqliteTicketRows::UpdateTicket(const v1::Ticket& ticket) {
  Statement update = database_.Prepare(
      "UPDATE tickets SET assignee = ?, state = ?, problem = ?, body = ? "
      "WHERE id = ? "
      "RETURNING id");
  update.Bind(1, ticket.assignee())
      .Bind(2, int64_t{ticket.state()})
      .BindBlob(4, WriteBlob(ticket))
      .Bind(5, int64_t{ticket.id()});
  if (ticket.problem() == 0) {
    update.BindNull(3);
  } else {
    update.Bind(3, int64_t{ticket.problem()});
  }
  FOREWARN_ASSIGN_OR_RETURN(const bool row, update.Step());
  if (row) return update.Run();
  return absl::NotFoundError(absl::StrCat("no ticket ", ticket.id()));
}

absl::StatusOr<v1::Ticket> SqliteTicketRows::FindTicket(uint32_t id) {
  Statement select =
      database_.Prepare("SELECT id, body FROM tickets WHERE id = ?");
  select.Bind(1, int64_t{id});
  return ReadOne<v1::Ticket>(select, "ticket", id);
}

absl::StatusOr<std::vector<v1::Ticket>> SqliteTicketRows::ListTickets(
    const desk::TicketFilter& filter) {
  std::string sql = "SELECT id, body FROM tickets WHERE 1";
  if (!filter.states.empty()) {
    const std::string states = absl::StrJoin(
        filter.states, ", ", [](std::string* out, v1::TicketState state) {
          absl::StrAppend(out, static_cast<int>(state));
        });
    absl::StrAppend(&sql, " AND state IN (", states, ")");
  }
  std::vector<absl::string_view> texts;
  if (!filter.endpoint_id.empty()) {
    absl::StrAppend(&sql, " AND endpoint_id = ?");
    texts.push_back(filter.endpoint_id);
  }
  if (!filter.assignee.empty()) {
    absl::StrAppend(&sql, " AND assignee = ?");
    texts.push_back(filter.assignee);
  }
  if (filter.problem != 0) {
    absl::StrAppend(&sql, " AND problem = ", filter.problem);
  }
  if (filter.before_id != 0) {
    absl::StrAppend(&sql, " AND id < ", filter.before_id);
  }
  absl::StrAppend(&sql, " ORDER BY id DESC LIMIT ", PageOf(filter.limit));
  Statement select = database_.Prepare(sql);
  for (size_t i = 0; i < texts.size(); ++i) {
    select.Bind(static_cast<int>(i) + 1, texts[i]);
  }
  return ReadAll<v1::Ticket>(select, "ticket");
}

absl::StatusOr<std::vector<std::pair<std::string, uint32_t>>>
SqliteTicketRows::CountOpenTickets() {
  Statement select = database_.Prepare(
      absl::StrCat("SELECT endpoint_id, count(*) FROM tickets WHERE state NOT "
                   "IN ",
                   kResolvedStates, " GROUP BY endpoint_id ORDER BY 1"));
  std::vector<std::pair<std::string, uint32_t>> counts;
  while (true) {
    FOREWARN_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return counts;
    counts.emplace_back(select.Text(0), static_cast<uint32_t>(select.Int(1)));
  }
}

absl::Status SqliteTicketRows::AppendEvent(v1::TicketEvent& event) {
  Statement insert = database_.Prepare(
      "INSERT INTO ticket_events (ticket, time, body) VALUES (?, ?, ?)");
  insert.Bind(1, int64_t{event.ticket()})
      .BindTime(2, ToTime(event.time()))
      .BindBlob(3, WriteBlob(event));
  FOREWARN_RETURN_IF_ERROR(insert.Run());
  event.set_id(static_cast<uint32_t>(database_.last_insert_id()));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::TicketEvent>> SqliteTicketRows::EventsOf(
    uint32_t ticket, absl::Time since, uint32_t limit) {
  Statement select = database_.Prepare(
      "SELECT id, body FROM ticket_events WHERE ticket = ? AND "
      "(?2 IS NULL OR time >= ?2) ORDER BY id DESC LIMIT ?");
  select.Bind(1, int64_t{ticket}).BindTime(2, since).Bind(3, PageOf(limit));
  FOREWARN_ASSIGN_OR_RETURN(
      std::vector<v1::TicketEvent> events,
      ReadAll<v1::TicketEvent>(
          select, "ticket event",
          [](v1::TicketEvent& event, uint32_t id) { event.set_id(id); }));
  std::reverse(events.begin(), events.end());
  return events;
}

absl::Status SqliteIncidentRows::InsertIncident(v1::Incident& incident) {
  Statement insert = database_.Prepare(
      "INSERT INTO incidents (endpoint_id, body) VALUES (?, x'')");
  insert.Bind(1, incident.endpoint_id());
  FOREWARN_RETURN_IF_ERROR(insert.Run());
  incident.set_id(static_cast<uint32_t>(database_.last_insert_id()));
  return UpdateIncident(incident);
}

absl::Status SqliteIncidentRows::UpdateIncident(const v1::Incident& incident) {
  Statement update = database_.Prepare(
      "UPDATE incidents SET closed_at = ?, body = ? WHERE id = ? "
      "RETURNING id");
  update
      .BindTime(1, incident.has_closed_at() ? ToTime(incident.closed_at())
                                            : absl::InfinitePast())
      .BindBlob(2, WriteBlob(incident))
      .Bind(3, int64_t{incident.id()});
  FOREWARN_ASSIGN_OR_RETURN(const bool row, update.Step());
  if (row) return update.Run();
  return absl::NotFoundError(absl::StrCat("no incident ", incident.id()));
}

absl::StatusOr<v1::Incident> SqliteIncidentRows::FindIncident(uint32_t id) {
  Statement select =
      database_.Prepare("SELECT id, body FROM incidents WHERE id = ?");
  select.Bind(1, int64_t{id});
  return ReadOne<v1::Incident>(select, "incident", id);
}

absl::Status SqliteIncidentRows::ClaimFingerprints(uint32_t incident) {
  if (base::Seeded(base::Bug::kForgetOpenIncidents)) return absl::OkStatus();
  // A row that is held by another breaks the key; its own is left out.
  Statement insert = database_.Prepare(
      "INSERT INTO held_fingerprints (fingerprint, incident) "
      "SELECT DISTINCT fingerprint, incident FROM symptoms s "
      "WHERE incident = ? AND weighs = 1 AND NOT EXISTS ("
      "SELECT 1 FROM held_fingerprints h WHERE h.fingerprint = s.fingerprint "
      "AND h.incident = s.incident)");
  return insert.Bind(1, int64_t{incident}).Run();
}

absl::Status SqliteIncidentRows::ReleaseFingerprints(uint32_t incident) {
  Statement erase =
      database_.Prepare("DELETE FROM held_fingerprints WHERE incident = ?");
  return erase.Bind(1, int64_t{incident}).Run();
}

absl::StatusOr<std::optional<uint32_t>> SqliteIncidentRows::HolderOf(
    const std::string& fingerprint) {
  Statement select = database_.Prepare(
      "SELECT incident FROM held_fingerprints WHERE fingerprint = ?");
  select.Bind(1, fingerprint);
  FOREWARN_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return std::nullopt;
  return static_cast<uint32_t>(select.Int(0));
}

absl::StatusOr<std::vector<v1::Incident>> SqliteIncidentRows::OpenIncidents() {
  Statement select = database_.Prepare(
      "SELECT id, body FROM incidents WHERE closed_at IS NULL ORDER BY id");
  return ReadAll<v1::Incident>(select, "incident");
}

absl::StatusOr<std::optional<uint32_t>> SqliteIncidentRows::LatestOf(
    const std::string& fingerprint) {
  Statement select = database_.Prepare(
      "SELECT incident FROM symptoms WHERE fingerprint = ? AND weighs = 1 "
      "AND incident IS NOT NULL ORDER BY opened_at DESC LIMIT 1");
  select.Bind(1, fingerprint);
  FOREWARN_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return std::nullopt;
  return static_cast<uint32_t>(select.Int(0));
}

absl::Status SqliteSymptomRows::SaveSymptom(const v1::Symptom& symptom) {
  if (symptom.fingerprint().empty() || !symptom.has_opened_at()) {
    return absl::InvalidArgumentError(
        "save symptom: no fingerprint or no opening time");
  }
  const bool weighs = symptom.priority() != v1::INFO &&
                      symptom.priority() != v1::PRIORITY_UNSPECIFIED;
  // Once it weighed more than INFO, it did.
  Statement save = database_.Prepare(
      "INSERT INTO symptoms (fingerprint, opened_at, cleared_at, endpoint_id, "
      "rule, weighs, incident, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (fingerprint, opened_at) DO UPDATE SET "
      "cleared_at = excluded.cleared_at, "
      "weighs = max(weighs, excluded.weighs), incident = excluded.incident, "
      "body = excluded.body");
  save.Bind(1, symptom.fingerprint())
      .BindTime(2, ToTime(symptom.opened_at()))
      .BindTime(3, symptom.has_cleared_at() ? ToTime(symptom.cleared_at())
                                            : absl::InfinitePast())
      .Bind(4, symptom.endpoint_id())
      .Bind(5, symptom.rule())
      .Bind(6, int64_t{weighs});
  if (symptom.incident() == 0) {
    save.BindNull(7);
  } else {
    save.Bind(7, int64_t{symptom.incident()});
  }
  save.BindBlob(8, WriteBlob(symptom));
  FOREWARN_RETURN_IF_ERROR(save.Run());
  if (!weighs || symptom.incident() == 0 ||
      base::Seeded(base::Bug::kForgetOpenIncidents)) {
    return absl::OkStatus();
  }
  Statement claim = database_.Prepare(
      "INSERT INTO held_fingerprints (fingerprint, incident) SELECT ?1, ?2 "
      "WHERE NOT EXISTS (SELECT 1 FROM held_fingerprints "
      "WHERE fingerprint = ?1 AND incident = ?2)");
  return claim.Bind(1, symptom.fingerprint())
      .Bind(2, int64_t{symptom.incident()})
      .Run();
}

absl::StatusOr<std::vector<v1::Symptom>> SqliteSymptomRows::SymptomsOf(
    uint32_t incident) {
  Statement select = database_.Prepare(
      "SELECT id, body FROM symptoms s WHERE incident = ? AND opened_at = ("
      "SELECT max(opened_at) FROM symptoms WHERE incident = s.incident "
      "AND fingerprint = s.fingerprint) ORDER BY opened_at, id");
  select.Bind(1, int64_t{incident});
  return ReadAll<v1::Symptom>(select, "symptom");
}

absl::StatusOr<std::vector<v1::Symptom>> SqliteSymptomRows::ListSymptoms(
    const desk::SymptomFilter& filter) {
  std::string sql = "SELECT id, body FROM symptoms WHERE 1";
  if (filter.open_only) absl::StrAppend(&sql, " AND cleared_at IS NULL");
  std::vector<absl::string_view> texts;
  if (!filter.endpoint_id.empty()) {
    absl::StrAppend(&sql, " AND endpoint_id = ?");
    texts.push_back(filter.endpoint_id);
  }
  if (!filter.rule.empty()) {
    absl::StrAppend(&sql, " AND rule = ?");
    texts.push_back(filter.rule);
  }
  absl::StrAppend(&sql, " ORDER BY opened_at DESC, id DESC LIMIT ",
                  PageOf(filter.limit), " OFFSET ", filter.offset);
  Statement select = database_.Prepare(sql);
  for (size_t i = 0; i < texts.size(); ++i) {
    select.Bind(static_cast<int>(i) + 1, texts[i]);
  }
  return ReadAll<v1::Symptom>(select, "symptom");
}

absl::StatusOr<std::optional<v1::Symptom>> SqliteSymptomRows::LatestOf(
    const std::string& fingerprint) {
  Statement select = database_.Prepare(
      "SELECT id, body FROM symptoms WHERE fingerprint = ? "
      "ORDER BY opened_at DESC LIMIT 1");
  select.Bind(1, fingerprint);
  FOREWARN_ASSIGN_OR_RETURN(std::vector<v1::Symptom> found,
                            ReadAll<v1::Symptom>(select, "symptom"));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

absl::StatusOr<std::vector<v1::Symptom>> SqliteSymptomRows::OpenSymptoms() {
  Statement select = database_.Prepare(
      "SELECT id, body FROM symptoms WHERE cleared_at IS NULL ORDER BY id");
  return ReadAll<v1::Symptom>(select, "symptom");
}

}  // namespace forewarn::store
