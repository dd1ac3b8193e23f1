#include "agent/sources/resolver_source.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;

TEST(ResolverNameTest, IsTheCollectorsElseOfADnsProbe) {
  v1::AgentConfig config;
  EXPECT_EQ(ResolverName(config), "");
  config.add_collectors("192.0.2.1:8461");
  config.add_collectors("localhost:8461");
  config.add_collectors("garbled");
  EXPECT_EQ(ResolverName(config), "");
  v1::ProbeConfig* probe = config.add_probes();
  probe->set_type("tcp");
  probe->set_target("db.example:5432");
  probe = config.add_probes();
  probe->set_type("dns");
  probe->set_target("intra.example");
  EXPECT_EQ(ResolverName(config), "intra.example");
  config.add_collectors("watch.example:8461");
  EXPECT_EQ(ResolverName(config), "watch.example");
}

TEST(ResolverSourceTest, AnAnswerIsUpWithItsTime) {
  ResolverSource source(
      "watch.example",
      [](const std::string& name) {
        EXPECT_EQ(name, "watch.example");
        return absl::OkStatus();
      },
      absl::Seconds(60));
  RecordingSink sink("resolver");
  FOREWARN_ASSERT_OK(source.Sample({}, sink));
  EXPECT_EQ(sink.Value("forewarn.resolver.up"), 1);
  EXPECT_GE(sink.Value("forewarn.resolver.duration"), 0);
}

TEST(ResolverSourceTest, AFailureIsDown) {
  ResolverSource source(
      "watch.example",
      [](const std::string&) { return absl::UnavailableError("no server"); },
      absl::Seconds(60));
  RecordingSink sink("resolver");
  FOREWARN_ASSERT_OK(source.Sample({}, sink));
  EXPECT_EQ(sink.Value("forewarn.resolver.up"), 0);
  EXPECT_FALSE(sink.Has("forewarn.resolver.duration"));
}

TEST(ResolverSourceTest, OneThatHangsIsDownAndNotAskedAgainUntilItEnds) {
  // The test's and the look-up's thread's.
  auto release = std::make_shared<std::promise<void>>();
  std::shared_future<void> released = release->get_future().share();
  auto calls = std::make_shared<std::atomic<int>>(0);
  ResolverSource source(
      "watch.example",
      [released, calls](const std::string&) {
        ++*calls;
        released.wait();
        return absl::OkStatus();
      },
      absl::Milliseconds(10));
  RecordingSink sink("resolver");
  FOREWARN_ASSERT_OK(source.Sample({}, sink));
  EXPECT_EQ(sink.Value("forewarn.resolver.up"), 0);
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample({}, sink));
  EXPECT_EQ(sink.Value("forewarn.resolver.up"), 0);
  EXPECT_LE(*calls, 1);
  release->set_value();
}

TEST(ResolverSourceTest, WithoutANameItIsQuiet) {
  ResolverSource source("");
  RecordingSink sink("resolver");
  EXPECT_THAT(source.Sample({}, sink), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(sink.readings.empty());
}

}  // namespace
}  // namespace forewarn::agent
