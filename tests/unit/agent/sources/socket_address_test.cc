#include "agent/sources/socket_address.h"

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;

TEST(SocketAddressTest, ReadsLiteralAddressesOnly) {
  EXPECT_EQ(ToText(ParseAddress("192.0.2.1", 80).value()), "192.0.2.1");
  EXPECT_EQ(ToText(ParseAddress("2001:db8::1", 80).value()), "2001:db8::1");
  EXPECT_FALSE(ParseAddress("localhost", 80).has_value());
  EXPECT_FALSE(ParseAddress("", 80).has_value());
  EXPECT_EQ(ToText(SocketAddress()), "(no address)");
}

TEST(SocketAddressTest, SplitsHostAndPort) {
  const auto name = ParseHostPort("web.example:443");
  FOREWARN_ASSERT_OK(name);
  EXPECT_EQ(name->host, "web.example");
  EXPECT_EQ(name->port, 443);
  const auto bracketed = ParseHostPort("[2001:db8::1]:8460");
  FOREWARN_ASSERT_OK(bracketed);
  EXPECT_EQ(bracketed->host, "2001:db8::1");
  for (const char* text :
       {"", "web.example", "web.example:", ":80", "web.example:0",
        "web.example:65536", "2001:db8::1:80", "[2001:db8::1:80", "a:b"}) {
    EXPECT_THAT(ParseHostPort(text),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
}

TEST(SocketAddressTest, LooksUpLiteralsAndTheOwnMachine) {
  const auto literal = LookUp("127.0.0.1", 80);
  FOREWARN_ASSERT_OK(literal);
  EXPECT_EQ(ToText(literal->front()), "127.0.0.1");
  FOREWARN_EXPECT_OK(LookUp("localhost", 80));
  EXPECT_THAT(LookUp("", 80), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace forewarn::agent
