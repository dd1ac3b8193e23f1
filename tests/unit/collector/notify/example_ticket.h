#ifndef FOREWARN_TESTS_UNIT_COLLECTOR_NOTIFY_EXAMPLE_TICKET_H_
#define FOREWARN_TESTS_UNIT_COLLECTOR_NOTIFY_EXAMPLE_TICKET_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "collector/notify/message.h"
#include "collector/words/words.h"
#include "forewarn/v1/api.pb.h"
#include "forewarn/v1/desk.pb.h"

namespace forewarn::notify {

inline v1::TicketDetail ExampleTicket(uint32_t id = 41,
                                      const std::string& mount = "/var") {
  v1::TicketDetail detail;
  v1::Ticket& ticket = *detail.mutable_ticket();
  ticket.set_id(id);
  ticket.set_priority(v1::P2);
  ticket.set_state(v1::NEW);
  ticket.set_host_name("web-01");
  ticket.mutable_opened_at()->set_seconds(1'795'321'629);
  ticket.mutable_title()->set_key("full");
  v1::Parameter& parameter = *ticket.mutable_title()->add_parameters();
  parameter.set_name("mount");
  parameter.set_text(mount);
  return detail;
}

inline v1::Notification ExampleNotification(
    uint32_t id = 7, uint32_t ticket = 41, const std::string& event = "opened",
    const std::string& channel = "mail") {
  v1::Notification notification;
  notification.set_id(id);
  notification.set_ticket(ticket);
  notification.set_channel(channel);
  notification.set_event(event);
  notification.set_idempotency_key(absl::StrCat("key-", id));
  notification.mutable_created_at()->set_seconds(1'795'321'630);
  return notification;
}

inline words::Words ExampleWords() {
  words::Words words;
  words.Add("full", "{mount} fills up");
  return words;
}

inline Message ExampleMessage(const std::string& event = "opened",
                              const std::string& mount = "/var") {
  return MakeMessage(ExampleNotification(7, 41, event),
                     ExampleTicket(41, mount), ExampleWords());
}

}  // namespace forewarn::notify

#endif  // FOREWARN_TESTS_UNIT_COLLECTOR_NOTIFY_EXAMPLE_TICKET_H_
