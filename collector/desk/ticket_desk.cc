#include "collector/desk/ticket_desk.h"

#include <algorithm>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "collector/correlate/symptom_order.h"
#include "collector/desk/incident_entry.h"
#include "collector/desk/person_text.h"
#include "collector/desk/problem_entry.h"
#include "collector/desk/ticket_change.h"
#include "collector/desk/workflow.h"
#include "protos/base/status.h"

namespace forewarn::desk {
namespace {

constexpr size_t kMostCommentBytes = 64 * 1024;
constexpr size_t kMostNameBytes = 256;
constexpr uint32_t kMostEvents = 1000;
// Longer than they count, for people to look up.
constexpr absl::Duration kScoresKept = absl::Hours(24 * 365);
constexpr uint32_t kMostMembers = 1000;

absl::Status CheckActor(absl::string_view actor) {
  return CheckText(actor, "actor", kMostNameBytes, Emptiness::kRefused);
}

absl::Status CheckComment(absl::string_view comment, Emptiness emptiness) {
  return CheckText(comment, "comment", kMostCommentBytes, emptiness);
}

// Runs `change` on the ticket in one transaction; returns it as stored.
absl::StatusOr<v1::Ticket> ChangeTicket(
    DeskStore& store, const std::vector<OutboxChannel>& channels,
    absl::Time now, uint32_t id,
    absl::FunctionRef<absl::Status(DeskTransaction&, TicketChange&)> change) {
  v1::Ticket stored;
  FOREWARN_RETURN_IF_ERROR(store.Transaction([&](DeskTransaction& rows) {
    FOREWARN_ASSIGN_OR_RETURN(v1::Ticket ticket, rows.tickets().FindTicket(id));
    TicketChange entry(rows, std::move(ticket), channels, now);
    FOREWARN_RETURN_IF_ERROR(change(rows, entry));
    FOREWARN_RETURN_IF_ERROR(entry.Save());
    stored = entry.ticket();
    return absl::OkStatus();
  }));
  return stored;
}

// Another open ticket about a symptom of this one, which therefore cannot be
// opened again beside it; 0 = none.
absl::StatusOr<uint32_t> RivalTicket(DeskTransaction& rows, uint32_t incident) {
  FOREWARN_ASSIGN_OR_RETURN(const std::vector<v1::Symptom> symptoms,
                            rows.symptoms().SymptomsOf(incident));
  for (const v1::Symptom& symptom : symptoms) {
    FOREWARN_ASSIGN_OR_RETURN(const std::optional<uint32_t> holder,
                              rows.incidents().HolderOf(symptom.fingerprint()));
    if (!holder.has_value() || *holder == incident) continue;
    FOREWARN_ASSIGN_OR_RETURN(const v1::Incident rival,
                              rows.incidents().FindIncident(*holder));
    return rival.ticket();
  }
  return 0;
}

}  // namespace

TicketDesk::TicketDesk(DeskStore& store, std::vector<OutboxChannel> channels,
                       base::Clock& clock)
    : store_(store), channels_(std::move(channels)), clock_(clock) {}

absl::StatusOr<v1::Incident> TicketDesk::Accept(
    const correlate::IncidentChange& change) {
  v1::Incident stored;
  FOREWARN_RETURN_IF_ERROR(store_.Transaction([&](DeskTransaction& rows) {
    FOREWARN_ASSIGN_OR_RETURN(
        stored, EnterIncidentChange(change, rows, channels_, clock_.Now()));
    return absl::OkStatus();
  }));
  return stored;
}

absl::Status TicketDesk::Together(absl::FunctionRef<void()> body) {
  return store_.Together(body);
}

absl::StatusOr<v1::Problem> TicketDesk::AcceptProblem(
    const correlate::ProblemChange& change) {
  v1::Problem stored;
  FOREWARN_RETURN_IF_ERROR(store_.Transaction([&](DeskTransaction& rows) {
    FOREWARN_ASSIGN_OR_RETURN(
        stored, EnterProblemChange(change, rows, channels_, clock_.Now()));
    return absl::OkStatus();
  }));
  return stored;
}

absl::StatusOr<v1::ForecastTally> TicketDesk::KeepScore(
    const correlate::ForecastScore& score, absl::Time since) {
  std::vector<v1::ForecastTally> tallies;
  FOREWARN_RETURN_IF_ERROR(store_.Transaction([&](DeskTransaction& rows) {
    FOREWARN_RETURN_IF_ERROR(rows.forecasts().KeepScore(score));
    FOREWARN_RETURN_IF_ERROR(
        rows.forecasts().Prune(clock_.Now() - kScoresKept));
    FOREWARN_ASSIGN_OR_RETURN(tallies, rows.forecasts().Tallies(since));
    return absl::OkStatus();
  }));
  for (v1::ForecastTally& tally : tallies) {
    if (tally.rule() != score.rule) continue;
    correlate::Weigh(tally);
    return std::move(tally);
  }
  v1::ForecastTally none;  // it is older than what counts
  none.set_rule(score.rule);
  return none;
}

absl::StatusOr<std::vector<v1::ForecastTally>> TicketDesk::Tallies(
    absl::Time since) {
  std::vector<v1::ForecastTally> tallies;
  FOREWARN_RETURN_IF_ERROR(store_.Read([&](DeskTransaction& rows) {
    FOREWARN_ASSIGN_OR_RETURN(tallies, rows.forecasts().Tallies(since));
    return absl::OkStatus();
  }));
  for (v1::ForecastTally& tally : tallies) correlate::Weigh(tally);
  return tallies;
}

absl::StatusOr<std::vector<v1::ForecastTally>> TicketDesk::RecentTallies() {
  return Tallies(clock_.Now() - correlate::kForecastMemory);
}

absl::StatusOr<v1::Ticket> TicketDesk::Acknowledge(uint32_t id,
                                                   absl::string_view actor,
                                                   absl::string_view comment) {
  FOREWARN_RETURN_IF_ERROR(CheckActor(actor));
  FOREWARN_RETURN_IF_ERROR(CheckComment(comment, Emptiness::kAllowed));
  return ChangeTicket(
      store_, channels_, clock_.Now(), id,
      [&](DeskTransaction&, TicketChange& entry) {
        FOREWARN_RETURN_IF_ERROR(entry.Move(Verb::kAcknowledge));
        return entry.Record("acknowledged", actor,
                            {TextParameter("actor", actor)}, comment);
      });
}

absl::StatusOr<v1::Ticket> TicketDesk::Assign(uint32_t id,
                                              absl::string_view assignee,
                                              absl::string_view actor) {
  FOREWARN_RETURN_IF_ERROR(CheckActor(actor));
  FOREWARN_RETURN_IF_ERROR(
      CheckText(assignee, "assignee", kMostNameBytes, Emptiness::kRefused));
  return ChangeTicket(store_, channels_, clock_.Now(), id,
                      [&](DeskTransaction&, TicketChange& entry) {
                        FOREWARN_RETURN_IF_ERROR(entry.Move(Verb::kAssign));
                        entry.ticket().set_assignee(std::string(assignee));
                        return entry.Record(
                            "assigned", actor,
                            {TextParameter("actor", actor),
                             TextParameter("assignee", assignee)});
                      });
}

absl::StatusOr<v1::Ticket> TicketDesk::Comment(uint32_t id,
                                               absl::string_view comment,
                                               absl::string_view actor) {
  FOREWARN_RETURN_IF_ERROR(CheckActor(actor));
  FOREWARN_RETURN_IF_ERROR(CheckComment(comment, Emptiness::kRefused));
  return ChangeTicket(store_, channels_, clock_.Now(), id,
                      [&](DeskTransaction&, TicketChange& entry) {
                        FOREWARN_RETURN_IF_ERROR(entry.Move(Verb::kComment));
                        return entry.Record("commented", actor,
                                            {TextParameter("actor", actor)},
                                            comment);
                      });
}

absl::StatusOr<v1::Ticket> TicketDesk::Resolve(uint32_t id,
                                               absl::string_view comment,
                                               absl::string_view actor) {
  FOREWARN_RETURN_IF_ERROR(CheckActor(actor));
  FOREWARN_RETURN_IF_ERROR(CheckComment(comment, Emptiness::kAllowed));
  return ChangeTicket(
      store_, channels_, clock_.Now(), id,
      [&](DeskTransaction& rows, TicketChange& entry) {
        FOREWARN_RETURN_IF_ERROR(entry.Move(Verb::kResolve));
        FOREWARN_RETURN_IF_ERROR(entry.Record(
            "resolved", actor, {TextParameter("actor", actor)}, comment));
        FOREWARN_RETURN_IF_ERROR(entry.Notify("resolved"));
        if (entry.ticket().incident() == 0) return absl::OkStatus();
        FOREWARN_ASSIGN_OR_RETURN(
            const v1::Incident incident,
            rows.incidents().FindIncident(entry.ticket().incident()));
        // While symptoms stand they stay with this ticket.
        return incident.has_closed_at()
                   ? rows.incidents().ReleaseFingerprints(incident.id())
                   : absl::OkStatus();
      });
}

absl::StatusOr<v1::Ticket> TicketDesk::Reopen(uint32_t id,
                                              absl::string_view comment,
                                              absl::string_view actor) {
  FOREWARN_RETURN_IF_ERROR(CheckActor(actor));
  FOREWARN_RETURN_IF_ERROR(CheckComment(comment, Emptiness::kAllowed));
  return ChangeTicket(
      store_, channels_, clock_.Now(), id,
      [&](DeskTransaction& rows, TicketChange& entry) {
        FOREWARN_RETURN_IF_ERROR(entry.Move(Verb::kReopen));
        if (const uint32_t incident = entry.ticket().incident();
            incident != 0) {
          FOREWARN_ASSIGN_OR_RETURN(const uint32_t rival,
                                    RivalTicket(rows, incident));
          if (rival != 0) {
            return absl::FailedPreconditionError(
                absl::StrCat("reopen ticket ", id, ": ticket ", rival,
                             " is open for the same symptom; work there"));
          }
          FOREWARN_RETURN_IF_ERROR(
              rows.incidents().ClaimFingerprints(incident));
        }
        FOREWARN_RETURN_IF_ERROR(entry.Record(
            "reopened", actor, {TextParameter("actor", actor)}, comment));
        return entry.Notify("reopened");
      });
}

absl::StatusOr<v1::TicketDetail> TicketDesk::Find(uint32_t id) const {
  v1::TicketDetail detail;
  FOREWARN_RETURN_IF_ERROR(store_.Read([&](DeskTransaction& rows) {
    FOREWARN_ASSIGN_OR_RETURN(*detail.mutable_ticket(),
                              rows.tickets().FindTicket(id));
    std::vector<v1::Symptom> symptoms;
    std::string lead;
    if (const uint32_t incident = detail.ticket().incident(); incident != 0) {
      FOREWARN_ASSIGN_OR_RETURN(symptoms, rows.symptoms().SymptomsOf(incident));
      FOREWARN_ASSIGN_OR_RETURN(const v1::Incident found,
                                rows.incidents().FindIncident(incident));
      lead = found.lead_fingerprint();
    }
    std::sort(symptoms.begin(), symptoms.end(),
              [&](const v1::Symptom& a, const v1::Symptom& b) {
                const bool a_leads = a.fingerprint() == lead;
                const bool b_leads = b.fingerprint() == lead;
                return a_leads != b_leads ? a_leads
                                          : correlate::ExplainsBetter(a, b);
              });
    for (v1::Symptom& symptom : symptoms) {
      *detail.add_symptoms() = std::move(symptom);
    }
    if (detail.ticket().kind() == v1::PROBLEM) {
      FOREWARN_ASSIGN_OR_RETURN(*detail.mutable_problem(),
                                rows.problems().ProblemOfTicket(id));
      FOREWARN_ASSIGN_OR_RETURN(
          std::vector<v1::Ticket> members,
          rows.tickets().ListTickets({.problem = id, .limit = kMostMembers}));
      for (v1::Ticket& member : members) {
        *detail.add_member_tickets() = std::move(member);
      }
    }
    FOREWARN_ASSIGN_OR_RETURN(
        std::vector<v1::TicketEvent> events,
        rows.tickets().EventsOf(id, absl::InfinitePast(), kMostEvents));
    for (v1::TicketEvent& event : events) {
      *detail.add_events() = std::move(event);
    }
    FOREWARN_ASSIGN_OR_RETURN(std::vector<v1::Notification> notifications,
                              rows.outbox().NotificationsOf(id));
    for (v1::Notification& notification : notifications) {
      *detail.add_notifications() = std::move(notification);
    }
    return absl::OkStatus();
  }));
  return detail;
}

absl::StatusOr<std::vector<v1::Ticket>> TicketDesk::List(
    const TicketFilter& filter) const {
  std::vector<v1::Ticket> tickets;
  FOREWARN_RETURN_IF_ERROR(store_.Read([&](DeskTransaction& rows) {
    FOREWARN_ASSIGN_OR_RETURN(tickets, rows.tickets().ListTickets(filter));
    return absl::OkStatus();
  }));
  return tickets;
}

absl::StatusOr<std::vector<v1::Symptom>> TicketDesk::Symptoms(
    const SymptomFilter& filter) const {
  std::vector<v1::Symptom> symptoms;
  FOREWARN_RETURN_IF_ERROR(store_.Read([&](DeskTransaction& rows) {
    FOREWARN_ASSIGN_OR_RETURN(symptoms, rows.symptoms().ListSymptoms(filter));
    return absl::OkStatus();
  }));
  return symptoms;
}

absl::StatusOr<std::vector<std::pair<std::string, uint32_t>>>
TicketDesk::OpenCounts() const {
  std::vector<std::pair<std::string, uint32_t>> counts;
  FOREWARN_RETURN_IF_ERROR(store_.Read([&](DeskTransaction& rows) {
    FOREWARN_ASSIGN_OR_RETURN(counts, rows.tickets().CountOpenTickets());
    return absl::OkStatus();
  }));
  return counts;
}

}  // namespace forewarn::desk
