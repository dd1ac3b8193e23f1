#include "collector/api/request_path.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::api {
namespace {

using ::forewarn::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(RequestPathTest, TakesPathAndQueryApart) {
  const auto path = ParseTarget("/api/v1/endpoints/web%201?site=a+b&x=%C3%A6");
  FOREWARN_ASSERT_OK(path);
  EXPECT_THAT(path->segments, ElementsAre("api", "v1", "endpoints", "web 1"));
  EXPECT_THAT(path->query, ElementsAre(Pair("site", "a b"), Pair("x", "æ")));
}

TEST(RequestPathTest, KnowsTheRoot) {
  const auto path = ParseTarget("/");
  FOREWARN_ASSERT_OK(path);
  EXPECT_THAT(path->segments, IsEmpty());
  FOREWARN_EXPECT_OK(ParseTarget("/?"));
}

TEST(RequestPathTest, RefusesPathsThatTwoReadersUnderstandInTwoWays) {
  for (const char* target :
       {"",           "*",           "api",      "http://a/api", "//",
        "//api",      "/api//v1",    "/api/",    "/./api",       "/api/..",
        "/api/../v1", "/%2e%2e/api", "/api/%2e", "/api%2fv1",    "/api%5cv1",
        "/a\\b",      "/api%00",     "/api%0a",  "/api%7f",      "/api%252fv1",
        "/api%",      "/api%2",      "/api%zz",  "/a b",         "/a\"b",
        "/a<b",       "/a#b",        "/a%ff",    "/a%c0%af",     "/a%ed%a0%80",
        "/a\xc3\xa6"}) {
    EXPECT_THAT(ParseTarget(target).status(),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << target;
  }
}

TEST(RequestPathTest, RefusesQueriesThatTwoReadersUnderstandInTwoWays) {
  for (const char* target : {"/a?x=1&x=2", "/a?=1", "/a?x=1&", "/a?x=%",
                             "/a?x=%0d%0a", "/a?x=%ff", "/a?x=1#y"}) {
    EXPECT_THAT(ParseTarget(target).status(),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << target;
  }
}

TEST(RequestPathTest, BoundsSegmentsAndKeys) {
  std::string deep;
  for (int i = 0; i < 17; ++i) deep += "/a";
  EXPECT_THAT(ParseTarget(deep).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  std::string wide = "/a?";
  for (int i = 0; i < 33; ++i) {
    absl::StrAppend(&wide, i == 0 ? "" : "&", "k", i, "=1");
  }
  EXPECT_THAT(ParseTarget(wide).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace forewarn::api
