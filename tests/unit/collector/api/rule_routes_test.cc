#include "collector/api/rule_routes.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/collector/api/api_fixture.h"

namespace forewarn::api {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kRule[] = R"(rules:
  - id: hot
    subsystem: thermal
    title: "{host} is at {value}"
    explanation: "Too hot."
    causes: [The sun]
    article: heat
    steps: [Open a window]
    signal: {metric: hw.temperature}
    levels:
      - {priority: P3, above: 80, clear: 70, hold: 5min}
)";

class RuleRoutesTest : public ApiFixture {
 protected:
  // An hour of a temperature by minutes, from two hours ago on: warm, and in
  // the middle half an hour of `peak`.
  void AddHour(const v1::Endpoint& endpoint, double peak) {
    history::SeriesRecord record;
    record.series = 0;
    record.definition.metric = "hw.temperature";
    record.definition.unit = "Cel";
    record.definition.digits = 1;
    history::EndpointBatch batch;
    batch.endpoint = endpoint.number();
    batch.batch.sequence = 1;
    for (int i = 0; i < 60; ++i) {
      batch.batch.ticks.push_back(
          {.time = clock_.Now() - absl::Hours(2) + absl::Minutes(i),
           .samples = {
               {.series = 0, .value = i >= 15 && i < 45 ? peak : 50.0}}});
    }
    const std::pair<uint32_t, history::SeriesRecord> series(endpoint.number(),
                                                            record);
    FOREWARN_ASSERT_OK(history_->Append({series}, {batch}));
  }

  std::string Body(const std::string& yaml, absl::Duration since,
                   const std::string& cursor = "") {
    return absl::StrCat(
        R"({"yaml": ")",
        absl::StrReplaceAll(yaml, {{"\n", "\\n"}, {"\"", "\\\""}}),
        R"(", "file_name": "mine.yaml", "from": ")",
        absl::FormatTime(absl::RFC3339_sec, clock_.Now() - since,
                         absl::UTCTimeZone()),
        R"(", "cursor": ")", cursor, R"("})");
  }
  v1::BacktestRulesResponse Backtest(const std::string& body) {
    return Read<v1::BacktestRulesResponse>(
        Ask("POST", "/api/v1/rules/backtest", "technician", body));
  }
};

TEST_F(RuleRoutesTest, BacktestNamesTheTicketsThatWouldHaveBeenOpened) {
  const v1::Endpoint hot = AddEndpoint("web1", '1');
  AddHour(hot, 90);
  AddHour(AddEndpoint("db1", '2'), 60);
  const v1::BacktestRulesResponse past = Backtest(Body(kRule, absl::Hours(24)));
  EXPECT_THAT(past.errors(), IsEmpty());
  EXPECT_EQ(past.endpoints(), 2u);
  EXPECT_EQ(past.fleet(), 2u);
  EXPECT_EQ(past.samples(), 120u);
  EXPECT_EQ(past.next_cursor(), "");
  ASSERT_THAT(past.tickets(), SizeIs(1));
  const v1::BacktestTicket& ticket = past.tickets(0);
  EXPECT_EQ(ticket.endpoint_id(), hot.id());
  EXPECT_EQ(ticket.host_name(), "web1");
  EXPECT_EQ(ticket.priority(), v1::P3);
  EXPECT_EQ(ticket.title_text(), "web1 is at 90 °C");
  EXPECT_EQ(wire::ToTime(ticket.opened_at()),
            clock_.Now() - absl::Hours(2) + absl::Minutes(20));
  // Nothing of it is in the desk.
  EXPECT_THAT(
      Read<v1::TicketList>(Ask("GET", "/api/v1/tickets?state=open", "viewer"))
          .tickets(),
      IsEmpty());
}

TEST_F(RuleRoutesTest, BacktestLooksNoFurtherBackThanAsked) {
  AddHour(AddEndpoint("web1", '1'), 90);
  const v1::BacktestRulesResponse past =
      Backtest(Body(kRule, absl::Minutes(30)));
  EXPECT_EQ(past.samples(), 0u);
  EXPECT_THAT(past.tickets(), IsEmpty());
}

TEST_F(RuleRoutesTest, BacktestGoesOnBehindItsCursor) {
  AddHour(AddEndpoint("web1", '1'), 90);
  const v1::Endpoint second = AddEndpoint("db1", '2');
  AddHour(second, 90);
  const v1::BacktestRulesResponse past = Backtest(
      Body(kRule, absl::Hours(24), absl::StrCat("b", second.number() - 1)));
  EXPECT_EQ(past.endpoints(), 1u);
  ASSERT_THAT(past.tickets(), SizeIs(1));
  EXPECT_EQ(past.tickets(0).host_name(), "db1");
}

TEST_F(RuleRoutesTest, BacktestOfAFileWithErrorsNamesThem) {
  const v1::BacktestRulesResponse past =
      Backtest(Body("rules:\n- idd: x\n", absl::Hours(1)));
  ASSERT_GT(past.errors_size(), 0);
  EXPECT_THAT(past.errors(0), HasSubstr("mine.yaml:2:"));
  EXPECT_EQ(past.endpoints(), 0u);
}

TEST_F(RuleRoutesTest, BacktestRefusesTimesThatMakeNoSense) {
  for (const std::string& body :
       {std::string(R"({"yaml": "rules: []"})"), Body(kRule, -absl::Hours(1)),
        Body(kRule, absl::Hours(24 * 400)),
        Body(kRule, absl::Hours(1), "x9")}) {
    EXPECT_EQ(Ask("POST", "/api/v1/rules/backtest", "technician", body).status,
              400)
        << body;
  }
  EXPECT_EQ(Ask("POST", "/api/v1/rules/backtest", "viewer",
                Body(kRule, absl::Hours(1)))
                .status,
            403);
}

}  // namespace
}  // namespace forewarn::api
