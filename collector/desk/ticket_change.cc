#include "collector/desk/ticket_change.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::desk {
namespace {

using ::forewarn::wire::ToStamp;

// Chosen: a symptom that comes and goes each minute makes a dozen rows an
// hour, not a hundred.
constexpr absl::Duration kDamping = absl::Minutes(5);
constexpr uint32_t kEventsLookedAt = 200;

std::string FingerprintIn(const v1::Text& text) {
  for (const v1::Parameter& parameter : text.parameters()) {
    if (parameter.name() == "fingerprint") return parameter.text();
  }
  return std::string();
}

v1::Text EventText(absl::string_view verb,
                   std::vector<v1::Parameter> parameters) {
  v1::Text text;
  text.set_key(absl::StrCat("desk.event.", verb));
  for (v1::Parameter& parameter : parameters) {
    *text.add_parameters() = std::move(parameter);
  }
  return text;
}

}  // namespace

v1::Parameter TextParameter(absl::string_view name, absl::string_view text) {
  v1::Parameter parameter;
  parameter.set_name(std::string(name));
  parameter.set_text(std::string(text));
  return parameter;
}

v1::Parameter DurationParameter(absl::string_view name,
                                absl::Duration duration) {
  v1::Parameter parameter;
  parameter.set_name(std::string(name));
  // To the second: people read it.
  parameter.mutable_duration()->set_seconds(
      absl::ToInt64Seconds(std::max(duration, absl::ZeroDuration())));
  return parameter;
}

TicketChange::TicketChange(DeskTransaction& rows, v1::Ticket ticket,
                           const std::vector<OutboxChannel>& channels,
                           absl::Time now)
    : rows_(rows), ticket_(std::move(ticket)), channels_(channels), now_(now) {
  ticket_.set_version(ticket_.version() + 1);
  *ticket_.mutable_updated_at() = ToStamp(now_);
}

absl::Status TicketChange::Move(Verb verb) {
  FOREWARN_ASSIGN_OR_RETURN(const v1::TicketState next,
                            NextState(ticket_, verb));
  const bool was_open = IsOpen();
  ticket_.set_state(next);
  if (was_open && next == v1::RESOLVED) {
    *ticket_.mutable_resolved_at() = ToStamp(now_);
  } else if (!was_open && IsOpen()) {
    ticket_.clear_resolved_at();
    ticket_.clear_closed_at();
    ticket_.set_reopened(ticket_.reopened() + 1);
  }
  if (verb == Verb::kReopenByItself) {
    // The work that was begun ended with the resolving.
    ticket_.set_touched(false);
  } else if (verb != Verb::kResolveByItself) {
    ticket_.set_touched(true);
  }
  return absl::OkStatus();
}

absl::Status TicketChange::Record(absl::string_view verb,
                                  absl::string_view actor,
                                  std::vector<v1::Parameter> parameters,
                                  absl::string_view comment) {
  v1::TicketEvent event;
  event.set_ticket(ticket_.id());
  *event.mutable_time() = ToStamp(now_);
  event.set_actor(std::string(actor));
  event.set_verb(std::string(verb));
  *event.mutable_text() = EventText(verb, std::move(parameters));
  event.set_comment(std::string(comment));
  return rows_.tickets().AppendEvent(event);
}

absl::StatusOr<bool> TicketChange::RecordDamped(
    absl::string_view verb, std::vector<v1::Parameter> parameters) {
  const std::string fingerprint = FingerprintIn(EventText(verb, parameters));
  FOREWARN_ASSIGN_OR_RETURN(
      const std::vector<v1::TicketEvent> recent,
      rows_.tickets().EventsOf(ticket_.id(), now_ - kDamping, kEventsLookedAt));
  for (const v1::TicketEvent& event : recent) {
    if (event.verb() == verb && FingerprintIn(event.text()) == fingerprint) {
      return false;
    }
  }
  FOREWARN_RETURN_IF_ERROR(Record(verb, kForewarn, std::move(parameters)));
  return true;
}

absl::Status TicketChange::Notify(absl::string_view event) {
  bool silent = false;
  if (ticket_.problem() != 0) {
    // Its problem's ticket speaks for all, as long as that is open.
    FOREWARN_ASSIGN_OR_RETURN(
        const v1::Problem problem,
        rows_.problems().ProblemOfTicket(ticket_.problem()));
    silent = !problem.has_closed_at();
    if (silent && event != "resolved") return absl::OkStatus();
  }
  std::vector<v1::Notification> earlier;
  if (event == "resolved") {
    FOREWARN_ASSIGN_OR_RETURN(earlier,
                              rows_.outbox().NotificationsOf(ticket_.id()));
  }
  for (const OutboxChannel& channel : channels_) {
    const bool told =
        absl::c_any_of(earlier, [&](const v1::Notification& notification) {
          return notification.channel() == channel.name;
        });
    if (!told && (silent || ticket_.priority() > channel.lowest_priority)) {
      continue;
    }
    v1::Notification notification;
    notification.set_ticket(ticket_.id());
    notification.set_channel(channel.name);
    notification.set_event(std::string(event));
    notification.set_idempotency_key(absl::StrCat(
        "ticket-", ticket_.id(), "-", event, "-", ticket_.version()));
    *notification.mutable_created_at() = ToStamp(now_);
    *notification.mutable_next_attempt_at() = ToStamp(now_);
    FOREWARN_RETURN_IF_ERROR(rows_.outbox().Enqueue(notification));
  }
  return absl::OkStatus();
}

absl::Status TicketChange::Save() {
  return rows_.tickets().UpdateTicket(ticket_);
}

}  // namespace forewarn::desk
