#include "collector/api/router.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

absl::StatusOr<identity::Principal> KnowsThree(absl::string_view secret) {
  for (const char* role : {"viewer", "technician", "admin"}) {
    if (secret == absl::StrCat("fwa1.", role)) {
      return identity::Principal{
          .token_id = 1, .name = absl::StrCat("the ", role), .role = role};
    }
  }
  if (secret == "fwa1.broken") return absl::UnavailableError("database busy");
  return absl::UnauthenticatedError("unknown token");
}

absl::StatusOr<HttpResponse> Ok(Call& call) {
  call.Audit(absl::StrCat("thing/", call.Path("id")), "a -> b");
  HttpResponse response;
  response.body =
      absl::StrCat(call.actor(), " ", call.Path("id"), " ", call.Query("q"));
  return response;
}

class RouterTest : public ::testing::Test {
 protected:
  Router Make() {
    std::vector<Route> routes = {
        {.method = "GET",
         .pattern = "/open",
         .access = Access::kPublic,
         .handler = Ok},
        {.method = "GET",
         .pattern = "/near",
         .access = Access::kLocalOrViewer,
         .handler = Ok},
        {.method = "GET",
         .pattern = "/things/{id}",
         .access = Access::kViewer,
         .query = {"q"},
         .handler = Ok},
        {.method = "POST",
         .pattern = "/things/{id}",
         .access = Access::kTechnician,
         .audit = "thing.change",
         .handler = Ok},
        {.method = "DELETE",
         .pattern = "/things/{id}",
         .access = Access::kAdmin,
         .audit = "thing.delete",
         .handler =
             [](Call&) {
               return absl::FailedPreconditionError("thing is in use");
             }},
        {.method = "GET",
         .pattern = "/inside",
         .access = Access::kPublic,
         .handler =
             [](Call&) {
               return absl::InternalError("/var/lib/secret is odd");
             }},
    };
    return Router(
        std::move(routes), KnowsThree,
        [this](const AuditEntry& entry) {
          audit_.push_back(absl::StrCat(entry.actor, "|", entry.verb, "|",
                                        entry.object, "|", entry.detail));
          return audit_status_;
        },
        [this](absl::string_view pattern, int status, absl::Duration) {
          observed_.emplace_back(std::string(pattern), status);
        });
  }

  HttpRequest Request(std::string method, std::string target,
                      const std::string& role = "") {
    HttpRequest request{.method = std::move(method),
                        .target = std::move(target),
                        .headers = {},
                        .body = "",
                        .peer = "192.0.2.7",
                        .id = "abc123"};
    if (!role.empty()) {
      request.headers.emplace_back("authorization", "Bearer fwa1." + role);
    }
    return request;
  }

  std::vector<std::string> audit_;
  absl::Status audit_status_;
  std::vector<std::pair<std::string, int>> observed_;
};

TEST_F(RouterTest, FindsTheRouteAndItsParameters) {
  const HttpResponse response =
      Make().Handle(Request("GET", "/things/7?q=x", "viewer"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "the viewer 7 x");
}

TEST_F(RouterTest, TellsAnUnknownPath) {
  const HttpResponse response = Make().Handle(Request("GET", "/nothing"));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_THAT(response.body, HasSubstr("\"instance\":\"abc123\""));
}

TEST_F(RouterTest, TellsWhichMethodsAPathKnows) {
  const HttpResponse response = Make().Handle(Request("PUT", "/things/7"));
  EXPECT_EQ(response.status, 405);
  EXPECT_THAT(response.headers,
              ElementsAre(Pair("Allow", "GET, HEAD, POST, DELETE")));
  EXPECT_EQ(Make().Handle(Request("OPTIONS", "/open")).status, 405);
}

TEST_F(RouterTest, AnswersHeadAsGet) {
  EXPECT_EQ(Make().Handle(Request("HEAD", "/open")).status, 200);
}

TEST_F(RouterTest, RefusesAmbiguousPaths) {
  EXPECT_EQ(Make().Handle(Request("GET", "//open")).status, 400);
  EXPECT_EQ(Make().Handle(Request("GET", "/things/../open")).status, 400);
  EXPECT_EQ(Make().Handle(Request("GET", "/open%2f")).status, 400);
}

TEST_F(RouterTest, AsksForATokenWhereOneIsNeeded) {
  const HttpResponse response = Make().Handle(Request("GET", "/things/7"));
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(response.headers,
              ElementsAre(Pair("WWW-Authenticate", HasSubstr("Bearer realm"))));
}

TEST_F(RouterTest, RefusesAWrongTokenAndAnotherScheme) {
  EXPECT_EQ(Make().Handle(Request("GET", "/things/7", "wrong")).status, 401);
  HttpRequest basic = Request("GET", "/things/7");
  basic.headers.emplace_back("authorization", "Basic fwa1.admin");
  EXPECT_EQ(Make().Handle(basic).status, 401);
  HttpRequest bare = Request("GET", "/things/7");
  bare.headers.emplace_back("authorization", "fwa1.admin");
  EXPECT_EQ(Make().Handle(bare).status, 401);
}

TEST_F(RouterTest, DoesNotCallABrokenStoreAWrongToken) {
  EXPECT_EQ(Make().Handle(Request("GET", "/things/7", "broken")).status, 503);
}

TEST_F(RouterTest, LetsARoleDoWhatLowerOnesMay) {
  const Router router = Make();
  const std::vector<std::pair<const char*, std::vector<int>>> expected = {
      {"viewer", {200, 403, 403}},
      {"technician", {200, 200, 403}},
      {"admin", {200, 200, 409}}};
  for (const auto& [role, statuses] : expected) {
    EXPECT_THAT(
        (std::vector<int>{
            router.Handle(Request("GET", "/things/7", role)).status,
            router.Handle(Request("POST", "/things/7", role)).status,
            router.Handle(Request("DELETE", "/things/7", role)).status}),
        ::testing::ElementsAreArray(statuses))
        << role;
  }
}

TEST_F(RouterTest, LetsTheOwnMachineInWithoutATokenWhereThatIsMeant) {
  HttpRequest near = Request("GET", "/near");
  EXPECT_EQ(Make().Handle(near).status, 401);
  near.peer = "127.0.0.1";
  EXPECT_EQ(Make().Handle(near).status, 200);
  near.peer = "::1";
  EXPECT_EQ(Make().Handle(near).status, 200);
  HttpRequest other = Request("GET", "/things/7");
  other.peer = "127.0.0.1";
  EXPECT_EQ(Make().Handle(other).status, 401);
}

TEST_F(RouterTest, AuditsChangesThatSucceeded) {
  const Router router = Make();
  router.Handle(Request("POST", "/things/7", "technician"));
  router.Handle(Request("GET", "/things/7", "admin"));
  router.Handle(Request("DELETE", "/things/7", "admin"));
  router.Handle(Request("POST", "/things/8", "viewer"));
  EXPECT_THAT(audit_,
              ElementsAre("the technician|thing.change|thing/7|a -> b"));
}

TEST_F(RouterTest, KeepsAChangeWhoseAuditEntryIsLost) {
  audit_status_ = absl::UnavailableError("disk");
  EXPECT_EQ(Make().Handle(Request("POST", "/things/7", "admin")).status, 200);
}

TEST_F(RouterTest, RefusesUnknownQueryKeys) {
  const HttpResponse response =
      Make().Handle(Request("GET", "/things/7?p=1", "viewer"));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("known here: q"));
}

TEST_F(RouterTest, TakesJsonBodiesOnly) {
  HttpRequest request = Request("POST", "/things/7", "admin");
  request.body = "{}";
  EXPECT_EQ(Make().Handle(request).status, 415);
  request.headers.emplace_back("content-type", "text/plain");
  EXPECT_EQ(Make().Handle(request).status, 415);
  request.headers.back().second = "Application/JSON; charset=utf-8";
  EXPECT_EQ(Make().Handle(request).status, 200);
  request.method = "GET";
  EXPECT_EQ(Make().Handle(request).status, 400);
}

TEST_F(RouterTest, HidesWhatWentWrongInside) {
  const HttpResponse response = Make().Handle(Request("GET", "/inside"));
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, Not(HasSubstr("secret")));
}

TEST_F(RouterTest, ReportsThePatternAndNeverThePath) {
  const Router router = Make();
  router.Handle(Request("GET", "/things/7", "viewer"));
  router.Handle(Request("GET", "/nothing"));
  EXPECT_THAT(observed_, ElementsAre(Pair("/things/{id}", 200), Pair("", 404)));
}

using RouterDeathTest = RouterTest;

TEST_F(RouterDeathTest, CannotBeBuiltFromATableThatLeavesAccessOpen) {
  auto build = [](Route route) {
    Router({std::move(route)}, KnowsThree,
           [](const AuditEntry&) { return absl::OkStatus(); });
  };
  EXPECT_DEATH(build({.method = "GET", .pattern = "/a", .handler = Ok}),
               "access");
  EXPECT_DEATH(build({.method = "POST",
                      .pattern = "/a",
                      .access = Access::kAdmin,
                      .handler = Ok}),
               "without an audit verb");
}

}  // namespace
}  // namespace forewarn::api
