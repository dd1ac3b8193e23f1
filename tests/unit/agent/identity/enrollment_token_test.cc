#include "agent/identity/enrollment_token.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kSecret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";

std::string TokenOf(const std::string& plain) {
  return absl::StrCat("fwe1.", absl::WebSafeBase64Escape(plain));
}
std::string Pin() { return std::string(64, 'a'); }

TEST(EnrollmentTokenTest, CarriesSecretPinAndUrls) {
  const auto token = ParseEnrollmentToken(absl::StrCat(
      " ", TokenOf(kSecret + "|" + Pin() + "|https://a:8460,https://b:8460"),
      "\n"));
  FOREWARN_ASSERT_OK(token);
  EXPECT_EQ(token->secret, kSecret);
  EXPECT_EQ(token->ca_pin, Pin());
  EXPECT_THAT(token->urls, ElementsAre("https://a:8460", "https://b:8460"));
}

class BadTokenTest : public ::testing::TestWithParam<std::string> {};

TEST_P(BadTokenTest, IsRefusedWithoutRepeatingIt) {
  EXPECT_THAT(
      ParseEnrollmentToken(GetParam()),
      StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr(kSecret))));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadTokenTest,
    ::testing::Values("", "fwe1.", "fwa1.abc", "fwe1.%%%", TokenOf(kSecret),
                      TokenOf(kSecret + "|" + Pin()),
                      TokenOf(kSecret + "|" + Pin() + "|"),
                      TokenOf(kSecret + "|" + Pin() + "|http://plain"),
                      TokenOf(kSecret + "|short|https://a"),
                      TokenOf(kSecret + "|" + std::string(64, 'z') +
                              "|https://a"),
                      TokenOf("short|" + Pin() + "|https://a"),
                      TokenOf(kSecret + "|" + Pin() + "|https://a|more"),
                      std::string(5000, 'x')));

}  // namespace
}  // namespace forewarn::agent
