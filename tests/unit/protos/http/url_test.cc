#include "protos/http/url.h"

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::http {
namespace {

TEST(UrlTest, SplitsWhatARequestNeeds) {
  const auto url = ParseUrl("https://a.example:8443/x?y=1#z");
  FOREWARN_ASSERT_OK(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->server.host, "a.example");
  EXPECT_EQ(url->server.port, 8443);
  EXPECT_EQ(url->target, "/x?y=1");
  EXPECT_EQ(ParseUrl("http://[::1]?q")->target, "/?q");
  EXPECT_EQ(ParseUrl("http://a")->server.port, 80);
  EXPECT_EQ(ParseUrl("https://a")->server.port, 443);
}

TEST(UrlTest, RefusesOtherSchemesAndUsers) {
  for (const char* bad : {"", "a", "ftp://a", "https://", "https://user@a",
                          "https://[::1", "https://a:x/", "https:///x"}) {
    EXPECT_FALSE(ParseUrl(bad).ok()) << bad;
  }
}

TEST(UrlTest, AServerHasNoPath) {
  EXPECT_EQ(ParseServerUrl("https://a.example", 8460)->port, 8460);
  EXPECT_EQ(ParseServerUrl("https://a.example:1/", 8460)->host, "a.example");
  EXPECT_EQ(ParseServerUrl("https://[::1]:99", 8460)->host, "::1");
  EXPECT_EQ(ParseServerUrl("https://[::1]:99", 8460)->port, 99);
  for (const char* bad :
       {"http://a", "https://", "https://a:0", "https://a:70000", "https://a:x",
        "https://a/path", "https://a?q", "https://a#f", "https://user@a",
        "https://[::1"}) {
    EXPECT_FALSE(ParseServerUrl(bad, 8460).ok()) << bad;
  }
}

}  // namespace
}  // namespace forewarn::http
