#include "agent/sources/agent_source.h"

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;

class AgentSourceTest : public ::testing::Test {
 protected:
  AgentSourceTest() {
    PutCpu(2);
    folder_.Write("proc/self/status", "Name:\tforewarn\nThreads:\t9\n");
    folder_.Write("proc/self/fd/0", "");
    folder_.Write("proc/self/fd/1", "");
    folder_.Write("proc/self/smaps_rollup",
                  "00400000-7ffe ---p 00000000 00:00 0 [rollup]\n"
                  "Rss:               12000 kB\nPss:                9000 kB\n");
  }
  void PutCpu(double seconds) {
    const long ticks = sysconf(_SC_CLK_TCK);
    folder_.Write(
        "proc/self/stat",
        absl::StrCat("77 (forewarn-agent) S 1 1 1 0 -1 4194560 5 0 0 0 ",
                     static_cast<long>(seconds * static_cast<double>(ticks)),
                     " 0 0 0 20 0 9 0 ", 500 * ticks, " 1000000 256 1 1\n"));
  }
  absl::Status Sample(int seconds) {
    sink_.Clear();
    return source_.Sample({absl::UnixEpoch(), absl::Seconds(seconds)}, sink_);
  }

  TemporaryFolder folder_;
  HostFiles files_{folder_.path()};
  AgentStats stats_;
  AgentSource source_{files_, stats_};
  RecordingSink sink_{"agent"};
};

TEST_F(AgentSourceTest, ReadsItsOwnUse) {
  FOREWARN_ASSERT_OK(Sample(600));
  EXPECT_DOUBLE_EQ(sink_.Value("forewarn.agent.cpu"), 2);
  EXPECT_FALSE(sink_.Has("forewarn.agent.cpu.utilization"));
  EXPECT_EQ(sink_.Value("forewarn.agent.memory"),
            256.0 * static_cast<double>(sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(sink_.Value("forewarn.agent.memory.proportional"), 9000.0 * 1024);
  EXPECT_EQ(sink_.Value("forewarn.agent.threads"), 9);
  EXPECT_EQ(sink_.Value("forewarn.agent.files"), 2);
  EXPECT_EQ(sink_.Value("forewarn.agent.uptime"), 100);
  PutCpu(2.5);
  FOREWARN_ASSERT_OK(Sample(610));
  EXPECT_DOUBLE_EQ(sink_.Value("forewarn.agent.cpu.utilization"), 0.05);
}

TEST_F(AgentSourceTest, ReadsTheCostlyProportionOnceAMinute) {
  FOREWARN_ASSERT_OK(Sample(600));
  FOREWARN_ASSERT_OK(Sample(610));
  EXPECT_FALSE(sink_.Has("forewarn.agent.memory.proportional"));
  FOREWARN_ASSERT_OK(Sample(660));
  EXPECT_TRUE(sink_.Has("forewarn.agent.memory.proportional"));
}

TEST_F(AgentSourceTest, ReadsWhatTheRoomsSayOfThemselves) {
  stats_.Update([](AgentStats::Totals& totals) {
    totals = {.series = 250,
              .spool_bytes = 1000,
              .spool_limit_bytes = 4000,
              .unacked_batches = 2,
              .dropped_samples = 5,
              .reconnects = 3,
              .tick = absl::Seconds(10)};
  });
  FOREWARN_ASSERT_OK(Sample(600));
  EXPECT_EQ(sink_.Value("forewarn.agent.series"), 250);
  EXPECT_EQ(sink_.Value("forewarn.agent.spool.usage"), 1000);
  EXPECT_EQ(sink_.Value("forewarn.agent.spool.limit"), 4000);
  EXPECT_EQ(sink_.Value("forewarn.agent.batches.unacked"), 2);
  EXPECT_EQ(sink_.Value("forewarn.agent.samples.dropped"), 5);
  EXPECT_EQ(sink_.Value("forewarn.agent.reconnects"), 3);
  EXPECT_EQ(sink_.Value("forewarn.agent.tick"), 10);
}

TEST_F(AgentSourceTest, LatenessIsAgeByTheSourcesIntervalOrTheTick) {
  stats_.Update(
      [](AgentStats::Totals& totals) { totals.tick = absl::Seconds(10); });
  stats_.SetSource("cpu", {.last_duration = absl::Milliseconds(2),
                           .failures = 4,
                           .last_good = absl::Seconds(580),
                           .interval = absl::ZeroDuration()});
  stats_.SetSource("smart", {.last_duration = absl::Seconds(1),
                             .failures = 0,
                             .last_good = absl::ZeroDuration(),
                             .interval = absl::Minutes(1)});
  stats_.SetSource("gone", {});
  stats_.RemoveSource("gone");
  FOREWARN_ASSERT_OK(Sample(620));
  const auto value = [&](const std::string& metric, const std::string& name) {
    return sink_.Value(absl::StrCat("forewarn.agent.source.", metric,
                                    "{forewarn.source=", name, "}"));
  };
  EXPECT_DOUBLE_EQ(value("duration", "cpu"), 0.002);
  EXPECT_EQ(value("failures", "cpu"), 4);
  EXPECT_EQ(value("age", "cpu"), 40);
  EXPECT_EQ(value("lateness", "cpu"), 4);
  // Never read well: since the agent started, at 500 s.
  EXPECT_EQ(value("age", "smart"), 120);
  EXPECT_EQ(value("lateness", "smart"), 2);
  EXPECT_EQ(sink_.Count("forewarn.agent.source.age"), 2);
}

TEST_F(AgentSourceTest, GarbledFilesAreAFailureAfterWhatIsKnown) {
  folder_.Write("proc/self/stat", "garbled");
  EXPECT_THAT(Sample(600), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(sink_.Has("forewarn.agent.series"));
}

TEST(AgentSourceOnThisMachineTest, ReadsItself) {
  const HostFiles files;
  AgentStats stats;
  AgentSource source(files, stats);
  RecordingSink sink("agent");
  FOREWARN_ASSERT_OK(source.Sample({absl::Now(), absl::Hours(100000)}, sink));
  EXPECT_GT(sink.Value("forewarn.agent.cpu"), 0);
  EXPECT_GT(sink.Value("forewarn.agent.memory"), 1e6);
  EXPECT_GE(sink.Value("forewarn.agent.threads"), 1);
  EXPECT_GE(sink.Value("forewarn.agent.files"), 3);
}

}  // namespace
}  // namespace forewarn::agent
