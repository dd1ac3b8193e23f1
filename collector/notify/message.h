#ifndef FOREWARN_COLLECTOR_NOTIFY_MESSAGE_H_
#define FOREWARN_COLLECTOR_NOTIFY_MESSAGE_H_

#include <string>

#include "absl/status/statusor.h"
#include "collector/words/words.h"
#include "forewarn/v1/api.pb.h"
#include "forewarn/v1/desk.pb.h"

namespace forewarn::notify {

// One notification with all that a channel may want to say.
struct Message {
  v1::Notification notification;
  // Titles and history rendered, the newest 100 events, long comments cut;
  // without the outbox rows of other channels.
  v1::TicketDetail detail;
  std::string subject;  // "[P2] /var on web-01 is filling up (T-41)"
  std::string text;     // what happened, then the whole ticket
};

Message MakeMessage(const v1::Notification& notification,
                    v1::TicketDetail detail, const words::Words& words);

// The message as a structured CloudEvent 1.0: type forewarn.ticket.opened.v1
// and so on, id the idempotency key, data the ticket's detail in the protos'
// JSON mapping with their field names. kInvalidArgument when a string is no
// UTF-8.
absl::StatusOr<std::string> CloudEventJson(const Message& message);

}  // namespace forewarn::notify

#endif  // FOREWARN_COLLECTOR_NOTIFY_MESSAGE_H_
