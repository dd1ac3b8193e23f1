#include "protos/net/socket_address.h"

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::net {
namespace {

using ::forewarn::testing::StatusIs;

TEST(SocketAddressTest, ReadsLiteralAddressesOnly) {
  EXPECT_EQ(ToText(ParseAddress("192.0.2.1", 80).value()), "192.0.2.1");
  EXPECT_EQ(ToText(ParseAddress("2001:db8::1", 80).value()), "2001:db8::1");
  EXPECT_FALSE(ParseAddress("localhost", 80).has_value());
  EXPECT_FALSE(ParseAddress("", 80).has_value());
  EXPECT_EQ(ToText(SocketAddress()), "(no address)");
}

TEST(SocketAddressTest, LooksUpLiteralsAndTheOwnMachine) {
  const auto literal = LookUp("127.0.0.1", 80);
  FOREWARN_ASSERT_OK(literal);
  EXPECT_EQ(ToText(literal->front()), "127.0.0.1");
  const auto own = LookUp("localhost", 80);
  FOREWARN_ASSERT_OK(own);
  ASSERT_EQ(own->size(), 2u);
  EXPECT_EQ(ToText(own->front()), "127.0.0.1");
  EXPECT_EQ(ToText(own->back()), "::1");
  EXPECT_THAT(LookUp("", 80), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace forewarn::net
