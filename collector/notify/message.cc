#include "collector/notify/message.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "collector/words/visible.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "protos/wire/proto_time.h"

namespace forewarn::notify {
namespace {

constexpr int kMostEvents = 100;
constexpr size_t kLongestComment = 4096;

struct EventWords {
  const char* event;
  const char* in_subject;
  const char* sentence;
};
constexpr EventWords kEvents[] = {
    {"opened", "", "Forewarn has opened this ticket."},
    {"updated", "updated: ", "This ticket has news."},
    {"priority_raised", "more urgent: ", "This ticket has become more urgent."},
    {"resolved", "resolved: ", "This ticket is resolved."},
    {"reopened", "opened again: ", "This ticket has been opened again."},
};

const EventWords& WordsOf(const std::string& event) {
  for (const EventWords& words : kEvents) {
    if (event == words.event) return words;
  }
  return kEvents[1];
}

void Render(v1::TicketDetail& detail, const words::Words& words) {
  v1::Ticket& ticket = *detail.mutable_ticket();
  ticket.set_title_text(words.Render(ticket.title()));
  detail.clear_notifications();
  if (detail.events_size() > kMostEvents) {
    detail.mutable_events()->DeleteSubrange(0,
                                            detail.events_size() - kMostEvents);
  }
  for (v1::TicketEvent& event : *detail.mutable_events()) {
    if (!event.text().key().empty()) {
      event.set_rendered(words.Render(event.text()));
    }
    if (event.comment().size() > kLongestComment) {
      event.set_comment(words::Visible(event.comment(), kLongestComment));
    }
  }
  detail.set_rendered(words::RenderTicket(detail, words));
}

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("write JSON: ", status.ToString()));
  }
  return json;
}

// A quoted JSON string.
absl::StatusOr<std::string> Quoted(const std::string& text) {
  google::protobuf::Value value;
  value.set_string_value(text);
  return ToJson(value);
}

// Types are names that receivers switch on: nothing odd may get in.
std::string EventType(std::string event) {
  event.erase(std::remove_if(event.begin(), event.end(),
                             [](char c) {
                               return !absl::ascii_islower(
                                          static_cast<unsigned char>(c)) &&
                                      c != '_';
                             }),
              event.end());
  return absl::StrCat("forewarn.ticket.", event.empty() ? "updated" : event,
                      ".v1");
}

}  // namespace

Message MakeMessage(const v1::Notification& notification,
                    v1::TicketDetail detail, const words::Words& words) {
  Render(detail, words);
  const v1::Ticket& ticket = detail.ticket();
  const EventWords& event = WordsOf(notification.event());
  Message message;
  message.subject = absl::StrCat("[",
                                 ticket.priority() == v1::PRIORITY_UNSPECIFIED
                                     ? "P?"
                                     : v1::Priority_Name(ticket.priority()),
                                 "] ", event.in_subject,
                                 words::Visible(ticket.title_text(), 200),
                                 " (T-", ticket.id(), ")");
  message.text = absl::StrCat(event.sentence, "\n\n", detail.rendered());
  message.notification = notification;
  message.detail = std::move(detail);
  return message;
}

absl::StatusOr<std::string> CloudEventJson(const Message& message) {
  const v1::Notification& notification = message.notification;
  const auto id = Quoted(notification.idempotency_key());
  if (!id.ok()) return id.status();
  const auto data = ToJson(message.detail);
  if (!data.ok()) return data.status();
  return absl::StrCat(
      R"({"specversion":"1.0","id":)", *id, R"(,"source":"/forewarn",)",
      R"("type":")", EventType(notification.event()), R"(",)",
      R"("subject":"tickets/)", notification.ticket(), R"(",)", R"("time":")",
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ",
                       wire::ToTime(notification.created_at()),
                       absl::UTCTimeZone()),
      R"(","datacontenttype":"application/json","data":)", *data, "}");
}

}  // namespace forewarn::notify
