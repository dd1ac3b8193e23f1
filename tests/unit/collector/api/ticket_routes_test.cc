#include "collector/api/ticket_routes.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/collector/api/api_fixture.h"

namespace forewarn::api {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class TicketRoutesTest : public ApiFixture {
 protected:
  TicketRoutesTest() {
    words_.Add("rule.disk_fill.title", "Disk / will be full soon");
    id_ = AddTicket(AddEndpoint("web1", '1'), "0000000000000001");
    path_ = absl::StrCat("/api/v1/tickets/", id_);
  }

  uint32_t id_ = 0;
  std::string path_;
};

TEST_F(TicketRoutesTest, ListsTicketsWithTheirTitleInWords) {
  const auto list = Read<v1::TicketList>(
      Ask("GET", "/api/v1/tickets?state=open&endpoint=web1", "viewer"));
  ASSERT_THAT(list.tickets(), SizeIs(1));
  EXPECT_EQ(list.tickets(0).title_text(), "Disk / will be full soon");
  EXPECT_EQ(list.tickets(0).host_name(), "web1");
}

TEST_F(TicketRoutesTest, FiltersByState) {
  EXPECT_THAT(Read<v1::TicketList>(
                  Ask("GET", "/api/v1/tickets?state=Resolved,closed", "viewer"))
                  .tickets(),
              SizeIs(0));
  EXPECT_THAT(
      Read<v1::TicketList>(Ask("GET", "/api/v1/tickets?state=new", "viewer"))
          .tickets(),
      SizeIs(1));
  EXPECT_EQ(Ask("GET", "/api/v1/tickets?state=odd", "viewer").status, 400);
}

TEST_F(TicketRoutesTest, PagesNewestFirst) {
  AddTicket(AddEndpoint("web2", '2'), "0000000000000002");
  auto page =
      Read<v1::TicketList>(Ask("GET", "/api/v1/tickets?limit=1", "viewer"));
  ASSERT_THAT(page.tickets(), SizeIs(1));
  EXPECT_EQ(page.tickets(0).host_name(), "web2");
  page = Read<v1::TicketList>(
      Ask("GET",
          absl::StrCat("/api/v1/tickets?limit=1&cursor=", page.next_cursor()),
          "viewer"));
  ASSERT_THAT(page.tickets(), SizeIs(1));
  EXPECT_EQ(page.tickets(0).host_name(), "web1");
  EXPECT_EQ(page.next_cursor(), "");
}

TEST_F(TicketRoutesTest, ShowsATicketAsText) {
  const auto detail = Read<v1::TicketDetail>(Ask("GET", path_, "viewer"));
  EXPECT_THAT(detail.rendered(), HasSubstr("Disk / will be full soon"));
  EXPECT_THAT(detail.symptoms(), SizeIs(1));
  ASSERT_THAT(detail.events(), Not(SizeIs(0)));
  EXPECT_NE(detail.events(0).rendered(), "");
}

TEST_F(TicketRoutesTest, TakesATicketThroughItsLife) {
  const auto assigned = Read<v1::Ticket>(
      Ask("POST", path_ + "/assign", "technician", R"({"assignee": "ann"})"));
  EXPECT_EQ(assigned.assignee(), "ann");
  EXPECT_EQ(assigned.title_text(), "Disk / will be full soon");
  Read<v1::Ticket>(Ask("POST", path_ + "/comment", "technician",
                       R"({"comment": "looking"})"));
  EXPECT_EQ(Read<v1::Ticket>(Ask("POST", path_ + "/resolve", "technician",
                                 R"({"comment": "cleaned up"})"))
                .state(),
            v1::RESOLVED);
  EXPECT_EQ(Ask("POST", path_ + "/acknowledge", "technician").status, 409);
  EXPECT_NE(Read<v1::Ticket>(Ask("POST", path_ + "/reopen", "technician",
                                 R"({"comment": "again"})"))
                .state(),
            v1::RESOLVED);
  const auto detail = Read<v1::TicketDetail>(Ask("GET", path_, "viewer"));
  bool commented = false;
  for (const v1::TicketEvent& event : detail.events()) {
    commented = commented || (event.comment() == "looking" &&
                              event.actor() == "the technician");
  }
  EXPECT_TRUE(commented);
}

TEST_F(TicketRoutesTest, AuditsWhoChangedWhatFromWhatToWhat) {
  Ask("POST", path_ + "/assign", "technician", R"({"assignee": "ann"})");
  EXPECT_THAT(audit_,
              Contains(::testing::AllOf(
                  HasSubstr("the technician|ticket.assign|"),
                  HasSubstr(absl::StrCat("|ticket/", id_, "|state NEW -> ")),
                  HasSubstr("assignee '' -> 'ann'"))));
}

TEST_F(TicketRoutesTest, AcknowledgesWithoutABody) {
  EXPECT_EQ(Read<v1::Ticket>(Ask("POST", path_ + "/acknowledge", "technician"))
                .state(),
            v1::ACKNOWLEDGED);
}

TEST_F(TicketRoutesTest, RefusesUnknownTicketsAndFields) {
  EXPECT_EQ(Ask("GET", "/api/v1/tickets/4242", "viewer").status, 404);
  EXPECT_EQ(Ask("GET", "/api/v1/tickets/abc", "viewer").status, 404);
  EXPECT_EQ(Ask("POST", "/api/v1/tickets/4242/comment", "admin",
                R"({"comment": "x"})")
                .status,
            404);
  EXPECT_EQ(Ask("POST", path_ + "/comment", "admin", R"({"text": "x"})").status,
            400);
  EXPECT_EQ(
      Ask("POST", path_ + "/comment", "admin", R"({"comment": ""})").status,
      400);
}

}  // namespace
}  // namespace forewarn::api
