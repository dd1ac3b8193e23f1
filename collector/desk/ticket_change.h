#ifndef FOREWARN_COLLECTOR_DESK_TICKET_CHANGE_H_
#define FOREWARN_COLLECTOR_DESK_TICKET_CHANGE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "collector/desk/desk_store.h"
#include "collector/desk/outbox.h"
#include "collector/desk/workflow.h"
#include "forewarn/v1/desk.pb.h"
#include "forewarn/v1/words.pb.h"

namespace forewarn::desk {

// Who acts when no person does.
inline constexpr absl::string_view kForewarn = "forewarn";

v1::Parameter TextParameter(absl::string_view name, absl::string_view text);
v1::Parameter DurationParameter(absl::string_view name,
                                absl::Duration duration);

// One change to one ticket inside a transaction: a new version, its history
// rows, its notifications. Notifications carry the key
// "ticket-<id>-<event>-<version>", the same however often the change is tried.
class TicketChange {
 public:
  // `rows` and `channels` must outlive it.
  TicketChange(DeskTransaction& rows, v1::Ticket ticket,
               const std::vector<OutboxChannel>& channels, absl::Time now);

  v1::Ticket& ticket() { return ticket_; }
  bool IsOpen() const { return desk::IsOpen(ticket_.state()); }

  // Moves the ticket as the workflow says, with the times that go with it.
  absl::Status Move(Verb verb);

  // A history row with the text "desk.event.<verb>". Damped: none if the
  // ticket got one of the same verb about the same fingerprint within five
  // minutes.
  absl::Status Record(absl::string_view verb, absl::string_view actor,
                      std::vector<v1::Parameter> parameters,
                      absl::string_view comment = "");
  absl::StatusOr<bool> RecordDamped(absl::string_view verb,
                                    std::vector<v1::Parameter> parameters);

  // One outbox row for each channel whose lowest priority the ticket reaches;
  // of `resolved`, for each that was told of the ticket before. Of a member
  // of an open problem only that, to these.
  absl::Status Notify(absl::string_view event);

  // Writes the ticket. Last.
  absl::Status Save();

 private:
  DeskTransaction& rows_;
  v1::Ticket ticket_;
  const std::vector<OutboxChannel>& channels_;
  const absl::Time now_;
};

}  // namespace forewarn::desk

#endif  // FOREWARN_COLLECTOR_DESK_TICKET_CHANGE_H_
