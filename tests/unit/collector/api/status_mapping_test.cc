#include "collector/api/status_mapping.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::api {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

TEST(StatusMappingTest, GivesEachErrorItsHttpStatus) {
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kInvalidArgument), 400);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kUnauthenticated), 401);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kPermissionDenied), 403);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kNotFound), 404);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kFailedPrecondition), 409);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kInternal), 500);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kDataLoss), 500);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kUnavailable), 503);
}

TEST(StatusMappingTest, TellsTheCallersFaultAndHidesOurs) {
  const HttpResponse theirs =
      ErrorResponse(absl::InvalidArgumentError("limit is odd"), "r1");
  EXPECT_THAT(theirs.body, HasSubstr("limit is odd"));
  EXPECT_THAT(theirs.body, HasSubstr("\"status\":400"));
  const HttpResponse ours =
      ErrorResponse(absl::DataLossError("page 7 of desk.db"), "r1");
  EXPECT_THAT(ours.body, Not(HasSubstr("desk.db")));
  EXPECT_THAT(ours.body, HasSubstr("r1"));
}

TEST(StatusMappingTest, AddsTheHeadersThatGoWithAStatus) {
  EXPECT_THAT(ErrorResponse(absl::UnauthenticatedError("x"), "r").headers,
              Contains(Key("WWW-Authenticate")));
  EXPECT_THAT(ErrorResponse(absl::UnavailableError("x"), "r").headers,
              Contains(Key("Retry-After")));
}

}  // namespace
}  // namespace forewarn::api
