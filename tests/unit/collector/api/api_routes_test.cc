#include "collector/api/api_routes.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/collector/api/api_fixture.h"

namespace forewarn::api {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ApiRoutesTest : public ApiFixture {};

// Nobody, viewer, technician, admin.
int RankNeeded(Access access) {
  switch (access) {
    case Access::kPublic:
      return 0;
    case Access::kLocalOrViewer:
    case Access::kViewer:
      return 1;
    case Access::kTechnician:
      return 2;
    default:
      return 3;
  }
}

TEST_F(ApiRoutesTest, AdmitsToEachRouteExactlyWhoMayUseIt) {
  const char* kCallers[] = {"", "viewer", "technician", "admin"};
  int checked = 0;
  for (const Route& route : api_->routes()) {
    const std::string target = absl::StrReplaceAll(
        route.pattern,
        {{"{id}", "4242"}, {"{endpoint}", "none"}, {"{series}", "1"}});
    for (int rank = 0; rank < 4; ++rank) {
      const int status = Ask(route.method, target, kCallers[rank]).status;
      const bool admitted = rank >= RankNeeded(route.access);
      const std::string what = route.method + " " + target + " by '" +
                               kCallers[rank] + "' gave " +
                               std::to_string(status);
      if (admitted) {
        EXPECT_NE(status, 403) << what;
        // Enrolment says 401 of its own to a request without a token.
        if (route.access != Access::kPublic) {
          EXPECT_NE(status, 401) << what;
        }
      } else {
        EXPECT_EQ(status, rank == 0 ? 401 : 403) << what;
      }
      ++checked;
    }
  }
  EXPECT_EQ(checked, 4 * static_cast<int>(api_->routes().size()));
  EXPECT_GE(api_->routes().size(), 26u);
}

TEST_F(ApiRoutesTest, OnlyReadsAndEnrolmentAreEverPublic) {
  for (const Route& route : api_->routes()) {
    if (route.access != Access::kPublic) continue;
    EXPECT_TRUE(route.method == "GET" || route.pattern == "/api/v1/enroll" ||
                route.pattern == "/api/v1/renew")
        << route.pattern;
  }
}

TEST_F(ApiRoutesTest, TellsHealthAndReadiness) {
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
  EXPECT_EQ(Ask("GET", "/-/healthy").status, 200);
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
  ready_ = absl::UnavailableError("/var/lib/forewarn is full");
  EXPECT_EQ(Ask("GET", "/readyz").status, 503);
  EXPECT_EQ(Ask("GET", "/-/ready").status, 503);
  EXPECT_THAT(Ask("GET", "/readyz").body, Not(HasSubstr("/var/lib")));
}

TEST_F(ApiRoutesTest, GivesMetricsToItsOwnMachine) {
  EXPECT_EQ(Ask("GET", "/metrics").status, 401);
  peer_ = "127.0.0.1";
  const HttpResponse response = Ask("GET", "/metrics");
  EXPECT_EQ(response.body, "forewarn_up 1\n");
  EXPECT_THAT(response.content_type, StartsWith("text/plain; version=0.0.4"));
}

TEST_F(ApiRoutesTest, TellsVersionDoctorAndItsOwnDocument) {
  EXPECT_EQ(
      Read<v1::VersionInfo>(Ask("GET", "/api/v1/version", "viewer")).version(),
      "9.9.9");
  EXPECT_THAT(
      Read<v1::DoctorReport>(Ask("GET", "/api/v1/doctor", "admin")).checks(),
      SizeIs(1));
  EXPECT_THAT(Ask("GET", "/api/v1/openapi.yaml").body,
              StartsWith("openapi: 3.1.0"));
}

TEST_F(ApiRoutesTest, ListsTheRulesInForce) {
  const auto list = Read<v1::RuleList>(Ask("GET", "/api/v1/rules", "viewer"));
  EXPECT_EQ(list.rules_size(), static_cast<int>(rules_.rules().size()));
  EXPECT_GT(list.rules_size(), 0);
}

TEST_F(ApiRoutesTest, ChecksARuleFile) {
  const auto bad = Read<v1::CheckRulesResponse>(
      Ask("POST", "/api/v1/rules/check", "technician",
          R"({"yaml": "rules:\n- idd: x\n", "file_name": "mine.yaml"})"));
  EXPECT_FALSE(bad.valid());
  EXPECT_THAT(bad.errors(), Contains(StartsWith("mine.yaml:2:")));
  EXPECT_EQ(Ask("POST", "/api/v1/rules/check", "technician", "{}").status, 400);
}

TEST_F(ApiRoutesTest, MakesListsAndRevokesTokens) {
  const HttpResponse made =
      Ask("POST", "/api/v1/tokens", "admin",
          R"({"kind": "api", "name": "ann", "role": "viewer"})");
  EXPECT_EQ(made.status, 201);
  v1::CreateTokenResponse token;
  ASSERT_TRUE(FromJson(made.body, token).ok());
  EXPECT_THAT(token.secret(), StartsWith("fwa1."));
  secrets_.emplace_back("ann", token.secret());
  EXPECT_EQ(Ask("GET", "/api/v1/version", "ann").status, 200);

  const HttpResponse list = Ask("GET", "/api/v1/tokens", "admin");
  EXPECT_EQ(Read<v1::TokenList>(list).tokens_size(), 4);
  EXPECT_THAT(list.body, Not(HasSubstr(token.secret().substr(5))));

  const std::string path = absl::StrCat("/api/v1/tokens/", token.token().id());
  EXPECT_EQ(Ask("DELETE", path, "admin").status, 204);
  EXPECT_EQ(Ask("GET", "/api/v1/version", "ann").status, 401);
  EXPECT_EQ(Ask("DELETE", "/api/v1/tokens/4242", "admin").status, 404);
  EXPECT_EQ(Ask("DELETE", "/api/v1/tokens/x", "admin").status, 404);
}

TEST_F(ApiRoutesTest, ExplainsABadTokenRequest) {
  const HttpResponse unknown =
      Ask("POST", "/api/v1/tokens", "admin", R"({"colour": "red"})");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(unknown.body, HasSubstr("colour"));
  EXPECT_EQ(Ask("POST", "/api/v1/tokens", "admin", R"({"kind": "x"})").status,
            400);
}

TEST_F(ApiRoutesTest, PagesThroughSymptoms) {
  const v1::Endpoint endpoint = AddEndpoint("web1", '1');
  for (int i = 0; i < 3; ++i) {
    AddTicket(endpoint, absl::StrCat("000000000000000", i));
  }
  auto page = Read<v1::SymptomList>(
      Ask("GET", "/api/v1/symptoms?open=true&endpoint=web1&limit=2", "viewer"));
  EXPECT_THAT(page.symptoms(), SizeIs(2));
  ASSERT_NE(page.next_cursor(), "");
  page = Read<v1::SymptomList>(Ask(
      "GET",
      absl::StrCat("/api/v1/symptoms?open=true&endpoint=web1&limit=2&cursor=",
                   page.next_cursor()),
      "viewer"));
  EXPECT_THAT(page.symptoms(), SizeIs(1));
  EXPECT_EQ(page.next_cursor(), "");
  EXPECT_THAT(
      Read<v1::SymptomList>(Ask("GET", "/api/v1/symptoms?rule=other", "viewer"))
          .symptoms(),
      IsEmpty());
  EXPECT_EQ(Ask("GET", "/api/v1/symptoms?open=1", "viewer").status, 400);
  EXPECT_EQ(Ask("GET", "/api/v1/symptoms?cursor=t1", "viewer").status, 400);
  EXPECT_EQ(Ask("GET", "/api/v1/symptoms?limit=0", "viewer").status, 400);
  EXPECT_EQ(Ask("GET", "/api/v1/symptoms?limit=1001", "viewer").status, 400);
  EXPECT_EQ(Ask("GET", "/api/v1/symptoms?endpoint=nobody", "viewer").status,
            404);
}

}  // namespace
}  // namespace forewarn::api
