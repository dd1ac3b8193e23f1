#include "collector/api/endpoint_routes.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/collector/api/api_fixture.h"

namespace forewarn::api {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class EndpointRoutesTest : public ApiFixture {
 protected:
  EndpointRoutesTest() : web_(AddEndpoint("web1", '1')) {}

  // `count` samples of one series, one a second, the last one now.
  void AddSamples(int count) {
    history::SeriesRecord record;
    record.series = 0;
    record.definition.metric = "system.memory.usage";
    record.definition.unit = "By";
    record.definition.digits = 1;
    record.definition.attributes = {{"system.memory.state", "used"}};
    history::EndpointBatch batch;
    batch.endpoint = web_.number();
    batch.batch.sequence = 1;
    for (int i = 0; i < count; ++i) {
      batch.batch.ticks.push_back(
          {.time = clock_.Now() - absl::Seconds(count - 1 - i),
           .samples = {{.series = 0, .value = i + 0.5}}});
    }
    const std::pair<uint32_t, history::SeriesRecord> series(web_.number(),
                                                            record);
    FOREWARN_ASSERT_OK(history_->Append({series}, {batch}));
  }

  const v1::Endpoint web_;
};

TEST_F(EndpointRoutesTest, ListsEndpointsWithTheirOpenTickets) {
  AddTicket(web_, "0000000000000001");
  AddEndpoint("db1", '2');
  const auto list =
      Read<v1::EndpointList>(Ask("GET", "/api/v1/endpoints", "viewer"));
  ASSERT_THAT(list.endpoints(), SizeIs(2));
  EXPECT_EQ(list.endpoints(0).facts().host_name(), "web1");
  EXPECT_EQ(list.endpoints(0).open_tickets(), 1u);
  EXPECT_EQ(list.endpoints(1).open_tickets(), 0u);
}

TEST_F(EndpointRoutesTest, PagesAndFilters) {
  AddEndpoint("db1", '2');
  auto page =
      Read<v1::EndpointList>(Ask("GET", "/api/v1/endpoints?limit=1", "viewer"));
  ASSERT_THAT(page.endpoints(), SizeIs(1));
  page = Read<v1::EndpointList>(
      Ask("GET",
          absl::StrCat("/api/v1/endpoints?limit=1&cursor=", page.next_cursor()),
          "viewer"));
  ASSERT_THAT(page.endpoints(), SizeIs(1));
  EXPECT_EQ(page.endpoints(0).facts().host_name(), "db1");
  EXPECT_EQ(page.next_cursor(), "");
  EXPECT_THAT(Read<v1::EndpointList>(
                  Ask("GET", "/api/v1/endpoints?site=rome", "viewer"))
                  .endpoints(),
              SizeIs(0));
}

TEST_F(EndpointRoutesTest, FindsAnEndpointByIdNumberAndName) {
  AddTicket(web_, "0000000000000001");
  for (const std::string& name :
       {web_.id(), std::string("web1"), absl::StrCat(web_.number())}) {
    const auto detail = Read<v1::EndpointDetail>(
        Ask("GET", "/api/v1/endpoints/" + name, "viewer"));
    EXPECT_EQ(detail.endpoint().id(), web_.id());
    EXPECT_EQ(detail.endpoint().open_tickets(), 1u);
    EXPECT_THAT(detail.open_symptoms(), SizeIs(1));
    EXPECT_THAT(detail.tickets(), SizeIs(1));
  }
  EXPECT_EQ(Ask("GET", "/api/v1/endpoints/nobody", "viewer").status, 404);
}

TEST_F(EndpointRoutesTest, ListsSeriesWithTheirLastValue) {
  AddSamples(5);
  const auto list = Read<v1::SeriesList>(Ask(
      "GET", "/api/v1/endpoints/web1/series?metric=system.memory", "viewer"));
  ASSERT_THAT(list.series(), SizeIs(1));
  EXPECT_EQ(list.series(0).metric(), "system.memory.usage");
  EXPECT_EQ(list.series(0).attributes(0).value(), "used");
  EXPECT_EQ(list.series(0).last_value(), 4.5);
  EXPECT_FALSE(list.series(0).has_first_at());
  EXPECT_THAT(
      Read<v1::SeriesList>(
          Ask("GET", "/api/v1/endpoints/web1/series?metric=disk", "viewer"))
          .series(),
      SizeIs(0));
}

TEST_F(EndpointRoutesTest, GivesTheSamplesOfARange) {
  AddSamples(100);
  const std::string path = "/api/v1/endpoints/web1/series/0/samples";
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  const auto list = Read<v1::SampleList>(
      Ask("GET", absl::StrCat(path, "?from=", now - 9, "&to=", now), "viewer"));
  ASSERT_THAT(list.samples(), SizeIs(9));
  EXPECT_EQ(list.samples(0).value(), 90.5);
  EXPECT_EQ(list.series().last_value(), 98.5);
  EXPECT_EQ(list.series().unit(), "By");
}

TEST_F(EndpointRoutesTest, GivesRollupsWhereAStepIsAskedFor) {
  AddSamples(1000);
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  const auto list = Read<v1::SampleList>(
      Ask("GET",
          absl::StrCat("/api/v1/endpoints/web1/series/0/samples?step=5m&from=",
                       now - 3600, "&to=", now + 1),
          "viewer"));
  EXPECT_THAT(list.samples(), SizeIs(0));
  uint32_t count = 0;
  for (const v1::RollupPoint& point : list.rollups()) {
    EXPECT_EQ(point.time().seconds() % 300, 0);
    EXPECT_LE(point.min(), point.mean());
    EXPECT_LE(point.mean(), point.max());
    count += point.count();
  }
  EXPECT_EQ(count, 1000u);
  EXPECT_EQ(list.rollups(0).min(), 0.5);
}

TEST_F(EndpointRoutesTest, RefusesRangesItCannotAnswer) {
  AddSamples(11002);
  const std::string path = "/api/v1/endpoints/web1/series/0/samples";
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  const HttpResponse many =
      Ask("GET", absl::StrCat(path, "?from=", now - 86400), "viewer");
  EXPECT_EQ(many.status, 400);
  EXPECT_THAT(many.body, HasSubstr("11000"));
  for (const char* query :
       {"?from=yesterday", "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "?from=0", "?to=99999999999999", "?step=2m"}) {
    EXPECT_EQ(Ask("GET", path + query, "viewer").status, 400) << query;
  }
  EXPECT_EQ(
      Ask("GET", "/api/v1/endpoints/web1/series/7/samples", "viewer").status,
      404);
  EXPECT_EQ(
      Ask("GET", "/api/v1/endpoints/web1/series/x/samples", "viewer").status,
      404);
}

}  // namespace
}  // namespace forewarn::api
