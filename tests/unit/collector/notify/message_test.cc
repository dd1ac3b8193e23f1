#include "collector/notify/message.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/collector/notify/example_ticket.h"

namespace forewarn::notify {
namespace {

using ::forewarn::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

google::protobuf::Struct Parse(const std::string& json) {
  google::protobuf::Struct parsed;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &parsed).ok())
      << json;
  return parsed;
}

TEST(MessageTest, SubjectHasPriorityTitleAndNumber) {
  EXPECT_EQ(ExampleMessage().subject, "[P2] /var fills up (T-41)");
  EXPECT_EQ(ExampleMessage("resolved").subject,
            "[P2] resolved: /var fills up (T-41)");
  EXPECT_EQ(ExampleMessage("priority_raised").subject,
            "[P2] more urgent: /var fills up (T-41)");
  EXPECT_EQ(ExampleMessage("unheard_of").subject,
            "[P2] updated: /var fills up (T-41)");
}

TEST(MessageTest, TextSaysWhatHappenedAndShowsTheTicket) {
  EXPECT_THAT(ExampleMessage().text,
              StartsWith("Forewarn has opened this ticket.\n\nT-41 /var"));
}

TEST(MessageTest, HostileTitlesStayOnOneVisibleLine) {
  const Message message =
      ExampleMessage("opened", "x\r\nBcc: all@example.com\r\n\r\n\x1b[2J");
  EXPECT_THAT(message.subject, Not(HasSubstr("\n")));
  EXPECT_THAT(message.subject, Not(HasSubstr("\x1b")));
  EXPECT_THAT(message.subject, HasSubstr("x\\r\\nBcc: all@example.com"));
}

TEST(MessageTest, IsBounded) {
  v1::TicketDetail detail = ExampleTicket();
  for (int i = 0; i < 1000; ++i) {
    detail.add_events()->set_comment(std::string(60'000, 'x'));
  }
  detail.add_notifications()->set_last_error("the secret of another channel");
  const Message message =
      MakeMessage(ExampleNotification(), detail, ExampleWords());
  EXPECT_EQ(message.detail.events_size(), 100);
  EXPECT_EQ(message.detail.notifications_size(), 0);
  EXPECT_LT(message.detail.ByteSizeLong(), 1024u * 1024);
}

TEST(CloudEventTest, CarriesTheTicketInItsEnvelope) {
  const auto json = CloudEventJson(ExampleMessage());
  ASSERT_THAT(json, IsOk());
  auto fields = Parse(*json).fields();
  EXPECT_EQ(fields["specversion"].string_value(), "1.0");
  EXPECT_EQ(fields["id"].string_value(), "key-7");
  EXPECT_EQ(fields["type"].string_value(), "forewarn.ticket.opened.v1");
  EXPECT_EQ(fields["source"].string_value(), "/forewarn");
  EXPECT_EQ(fields["subject"].string_value(), "tickets/41");
  EXPECT_EQ(fields["time"].string_value(), "2026-11-22T04:27:10Z");
  EXPECT_EQ(fields["datacontenttype"].string_value(), "application/json");
  auto data = fields["data"].struct_value().fields();
  auto ticket = data["ticket"].struct_value().fields();
  EXPECT_EQ(ticket["id"].number_value(), 41);
  EXPECT_EQ(ticket["host_name"].string_value(), "web-01");
  EXPECT_EQ(ticket["title_text"].string_value(), "/var fills up");
  EXPECT_THAT(data["rendered"].string_value(), HasSubstr("T-41"));
}

TEST(CloudEventTest, HostileStringsStayInsideTheirQuotes) {
  Message message = ExampleMessage("opened", "\",\"id\":\"forged");
  message.notification.set_idempotency_key("a\"b\\c\nd");
  message.notification.set_event("opened\",\"x\":\"");
  const auto json = CloudEventJson(message);
  ASSERT_THAT(json, IsOk());
  auto fields = Parse(*json).fields();
  EXPECT_EQ(fields["id"].string_value(), "a\"b\\c\nd");
  EXPECT_EQ(fields["type"].string_value(), "forewarn.ticket.openedx.v1");
  EXPECT_EQ(fields.size(), 8u);
}

}  // namespace
}  // namespace forewarn::notify
