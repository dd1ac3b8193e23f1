#include "collector/desk/workflow.h"

#include <initializer_list>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "protos/base/status.h"

namespace forewarn::desk {
namespace {

constexpr unsigned Set(std::initializer_list<v1::TicketState> states) {
  unsigned set = 0;
  for (const v1::TicketState state : states) set |= 1u << state;
  return set;
}

constexpr unsigned kOpen =
    Set({v1::NEW, v1::ACKNOWLEDGED, v1::IN_PROGRESS, v1::WAITING});
constexpr unsigned kDone = Set({v1::RESOLVED, v1::CLOSED});
constexpr v1::TicketState kSame = v1::TICKET_STATE_UNSPECIFIED;

struct Transition {
  Verb verb;
  absl::string_view deed;
  unsigned from;
  v1::TicketState to;
  bool only_untouched;
};

constexpr Transition kTransitions[] = {
    // verb                  deed           from             to untouched
    {Verb::kAcknowledge, "acknowledge", Set({v1::NEW}), v1::ACKNOWLEDGED,
     false},
    {Verb::kAssign, "assign", kOpen, kSame, false},
    {Verb::kComment, "comment on", kOpen | kDone, kSame, false},
    {Verb::kResolve, "resolve", kOpen, v1::RESOLVED, false},
    {Verb::kReopen, "reopen", kDone, v1::NEW, false},
    {Verb::kResolveByItself, "resolve", Set({v1::NEW}), v1::RESOLVED, true},
    {Verb::kReopenByItself, "reopen", kDone, v1::NEW, false},
};

constexpr v1::TicketState kStates[] = {v1::NEW,         v1::ACKNOWLEDGED,
                                       v1::IN_PROGRESS, v1::WAITING,
                                       v1::RESOLVED,    v1::CLOSED};

std::string NamesOf(unsigned set) {
  std::string names;
  for (const v1::TicketState state : kStates) {
    if ((set & (1u << state)) == 0) continue;
    absl::StrAppend(&names, names.empty() ? "" : ", ", NameOf(state));
  }
  return names;
}

}  // namespace

absl::StatusOr<v1::TicketState> NextState(const v1::Ticket& ticket, Verb verb) {
  for (const Transition& row : kTransitions) {
    if (row.verb != verb) continue;
    if ((row.from & (1u << ticket.state())) == 0) {
      return absl::FailedPreconditionError(absl::StrCat(
          row.deed, " ticket ", ticket.id(), ": it is ", NameOf(ticket.state()),
          "; allowed while ", NamesOf(row.from)));
    }
    if (row.only_untouched && ticket.touched()) {
      return absl::FailedPreconditionError(
          absl::StrCat(row.deed, " ticket ", ticket.id(),
                       ": a person has begun work on it"));
    }
    return row.to == kSame ? ticket.state() : row.to;
  }
  return absl::InternalError("ticket workflow: unknown verb");
}

bool IsOpen(v1::TicketState state) { return (kOpen & (1u << state)) != 0; }

absl::string_view NameOf(v1::TicketState state) {
  switch (state) {
    case v1::NEW:
      return "new";
    case v1::ACKNOWLEDGED:
      return "acknowledged";
    case v1::IN_PROGRESS:
      return "in progress";
    case v1::WAITING:
      return "waiting";
    case v1::RESOLVED:
      return "resolved";
    case v1::CLOSED:
      return "closed";
    default:
      return "unknown";
  }
}

}  // namespace forewarn::desk
