#include "protos/net/host_port.h"

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::net {
namespace {

using ::forewarn::testing::StatusIs;

TEST(HostPortTest, KnowsNamesAndAddresses) {
  const auto name = ParseHostPort("web.example:443");
  FOREWARN_ASSERT_OK(name);
  EXPECT_EQ(name->host, "web.example");
  EXPECT_EQ(name->port, 443);
  const auto bracketed = ParseHostPort("[2001:db8::1]:8460");
  FOREWARN_ASSERT_OK(bracketed);
  EXPECT_EQ(bracketed->host, "2001:db8::1");
  EXPECT_EQ(bracketed->port, 8460);
}

TEST(HostPortTest, TheDefaultPortStandsInForNoneOnly) {
  EXPECT_EQ(ParseHostPort("a.example", 8460)->port, 8460);
  EXPECT_EQ(ParseHostPort("[::1]", 8460)->port, 8460);
  EXPECT_EQ(ParseHostPort("a.example:1", 8460)->port, 1);
  EXPECT_FALSE(ParseHostPort("a.example:", 8460).ok());
}

TEST(HostPortTest, RefusesAnythingElse) {
  for (const char* text :
       {"", "web.example", "web.example:", ":80", "web.example:0",
        "web.example:65536", "2001:db8::1:80", "[2001:db8::1:80", "a:b",
        "user@a:80", "a/b:80", "[::1]x:80", "a b:80"}) {
    EXPECT_THAT(ParseHostPort(text),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
}

}  // namespace
}  // namespace forewarn::net
