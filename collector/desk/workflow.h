#ifndef FOREWARN_COLLECTOR_DESK_WORKFLOW_H_
#define FOREWARN_COLLECTOR_DESK_WORKFLOW_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "forewarn/v1/desk.pb.h"

namespace forewarn::desk {

// What is done to a ticket. By a person, but for the two ...ByItself, which
// the desk does when symptoms go and come back.
enum class Verb {
  kAcknowledge,
  kAssign,
  kComment,
  kResolve,
  kReopen,
  kResolveByItself,
  kReopenByItself,
};

// The state a ticket is in after `verb`. kFailedPrecondition when the state
// does not allow it: names those that do. `touched`: a person has begun work,
// which keeps the desk from resolving.
absl::StatusOr<v1::TicketState> NextState(const v1::Ticket& ticket, Verb verb);

// Neither resolved nor closed.
bool IsOpen(v1::TicketState state);

// "new", "in progress".
absl::string_view NameOf(v1::TicketState state);

}  // namespace forewarn::desk

#endif  // FOREWARN_COLLECTOR_DESK_WORKFLOW_H_
