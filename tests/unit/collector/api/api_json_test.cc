#include <string>

#include "collector/api/json.h"
#include "forewarn/v1/api.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::api {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;
using ::testing::HasSubstr;

TEST(ApiJsonTest, WritesTheProtosOwnNamesAndDefaults) {
  v1::TicketList list;
  list.add_tickets()->set_title_text("disk \"/\" <fills>");
  const std::string json = ToJson(list);
  EXPECT_THAT(json, HasSubstr("\"title_text\":\"disk \\\"/\\\" \\u003cfills"));
  EXPECT_THAT(json, HasSubstr("\"touched\":false"));
  EXPECT_THAT(json, HasSubstr("\"next_cursor\":\"\""));
  EXPECT_THAT(json, HasSubstr("\"state\":\"TICKET_STATE_UNSPECIFIED\""));
}

TEST(ApiJsonTest, ReadsABodyAndAnEmptyOne) {
  v1::CommentRequest request;
  EXPECT_THAT(FromJson("{\"comment\": \"ok \\u00e6\"}", request), IsOk());
  EXPECT_EQ(request.comment(), "ok æ");
  EXPECT_THAT(FromJson("", request), IsOk());
  EXPECT_EQ(request.comment(), "");
}

TEST(ApiJsonTest, SaysWhatIsWrongAndWhere) {
  v1::CreateTokenRequest request;
  EXPECT_THAT(
      FromJson("{\"name\": \"a\", \"colour\": 1}", request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("colour")));
  EXPECT_THAT(
      FromJson("{\"valid_hours\": \"many\"}", request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("valid_hours")));
  EXPECT_THAT(FromJson("{\"valid_hours\": -1}", request),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(FromJson("{\"name\": \"a\"", request),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("CreateTokenRequest")));
  EXPECT_THAT(FromJson("[]", request),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(FromJson("{} {}", request),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ApiJsonTest, RefusesBytesThatAreNotUtf8AndDeepNesting) {
  v1::CommentRequest request;
  EXPECT_THAT(FromJson("{\"comment\": \"\xff\xfe\"}", request),
              StatusIs(absl::StatusCode::kInvalidArgument));
  std::string deep = "{\"comment\": ";
  for (int i = 0; i < 10000; ++i) deep += "[";
  EXPECT_THAT(FromJson(deep, request),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace forewarn::api
