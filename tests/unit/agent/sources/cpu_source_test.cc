#include "agent/sources/cpu_source.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/overlay_host_files.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::OverlayHostFiles;
using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;

const SampleTime kFirst{absl::FromUnixSeconds(1'800'000'000), absl::Hours(1)};
const SampleTime kSecond{kFirst.wall + absl::Seconds(10),
                         kFirst.since_boot + absl::Seconds(10)};

TEST(CpuSourceTest, ReadsCountersAtFirst) {
  const OverlayHostFiles files("debian-server");
  CpuSource source(files);
  RecordingSink sink("cpu");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.time{cpu.mode=user}"), 358.5);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.time{cpu.mode=nice}"), 1.5);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.time{cpu.mode=system}"), 378.8);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.time{cpu.mode=idle}"), 61057.4);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.time{cpu.mode=iowait}"), 54.7);
  // irq and softirq together
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.time{cpu.mode=interrupt}"), 7.05);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.time{cpu.mode=steal}"), 3);
  EXPECT_EQ(sink.Value("system.cpu.logical.count"), 4);
  EXPECT_EQ(sink.Value("forewarn.cpu.context_switches"), 378220991);
  EXPECT_EQ(sink.Value("forewarn.cpu.forks"), 727712);
  EXPECT_EQ(sink.Value("forewarn.cpu.interrupts"), 188695321);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.frequency"), 2.55e9);
  // cores 3 + 1, packages 5 and 7, each told by two cores
  EXPECT_EQ(sink.Value("forewarn.cpu.throttle.events"), 16);
  EXPECT_EQ(sink.Count("system.cpu.utilization"), 0);
  EXPECT_FALSE(sink.Has("forewarn.cpu.busy"));
  EXPECT_FALSE(sink.Has("forewarn.cpu.core.busy.max"));
}

TEST(CpuSourceTest, TellsSharesSinceTheSampleBefore) {
  OverlayHostFiles files("debian-server");
  files.Write("/proc/stat",
              "cpu  0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0\n"
              "cpu1 0 0 0 0 0 0 0 0\n");
  CpuSource source(files);
  RecordingSink sink("cpu");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  files.Write("/proc/stat",
              "cpu  600 0 200 900 100 50 50 100\n"
              "cpu0 600 0 200 50 50 0 0 100\ncpu1 0 0 0 850 50 50 50 0\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.utilization{cpu.mode=user}"), 0.3);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.utilization{cpu.mode=idle}"), 0.45);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.utilization{cpu.mode=iowait}"), 0.05);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.utilization{cpu.mode=interrupt}"),
                   0.05);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.utilization{cpu.mode=steal}"), 0.05);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.cpu.busy"), 0.5);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.cpu.core.busy{cpu.logical_number=0}"),
                   0.9);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.cpu.core.busy{cpu.logical_number=1}"),
                   0.1);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.cpu.core.busy.max"), 0.9);
}

TEST(CpuSourceTest, CountersThatFallBackGiveNoNegativeShares) {
  OverlayHostFiles files("debian-server");
  files.Write("/proc/stat", "cpu 500 0 0 1000 500\ncpu0 500 0 0 1000 500\n");
  CpuSource source(files);
  RecordingSink sink("cpu");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  // iowait went back, as proc(5) warns.
  files.Write("/proc/stat", "cpu 600 0 0 1100 400\ncpu0 600 0 0 1100 400\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.cpu.busy"), 0.5);
  EXPECT_DOUBLE_EQ(sink.Value("system.cpu.utilization{cpu.mode=iowait}"), 0);
  // Everything went back: nothing can be told.
  files.Write("/proc/stat", "cpu 1 0 0 1 1\ncpu0 1 0 0 1 1\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_FALSE(sink.Has("forewarn.cpu.busy"));
}

TEST(CpuSourceTest, ACoreThatComesBackStartsAnew) {
  OverlayHostFiles files("debian-server");
  const std::string both = "cpu 1 0 0 1\ncpu0 100 0 0 100\ncpu1 100 0 0 100\n";
  files.Write("/proc/stat", both);
  CpuSource source(files);
  RecordingSink sink("cpu");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  files.Write("/proc/stat", "cpu 1 0 0 1\ncpu0 150 0 0 150\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_EQ(sink.Value("system.cpu.logical.count"), 1);
  files.Write("/proc/stat",
              "cpu 1 0 0 1\ncpu0 200 0 0 200\ncpu1 900 0 0 100\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_TRUE(sink.Has("forewarn.cpu.core.busy{cpu.logical_number=0}"));
  EXPECT_FALSE(sink.Has("forewarn.cpu.core.busy{cpu.logical_number=1}"));
}

TEST(CpuSourceTest, AMachineOfManyCoresTellsOnlyTheBusiest) {
  OverlayHostFiles files("debian-server");
  const auto stat = [](int busy) {
    std::string text = absl::StrCat("cpu ", busy, " 0 0 ", busy, "\n");
    for (int i = 0; i < 65; ++i) {
      absl::StrAppend(&text, "cpu", i, " ", i == 7 ? busy : 0, " 0 0 ", busy,
                      "\n");
    }
    return text;
  };
  files.Write("/proc/stat", stat(0));
  CpuSource source(files);
  RecordingSink sink("cpu");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  files.Write("/proc/stat", stat(100));
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_EQ(sink.Count("forewarn.cpu.core.busy"), 0);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.cpu.core.busy.max"), 0.5);
}

TEST(CpuSourceTest, ReadsThrottlingOnceAMinute) {
  OverlayHostFiles files("debian-server");
  CpuSource source(files);
  RecordingSink sink("cpu");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  files.Write(
      "/sys/devices/system/cpu/cpu0/thermal_throttle/"
      "core_throttle_count",
      "4\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_EQ(sink.Value("forewarn.cpu.throttle.events"), 16);
  sink.Clear();
  FOREWARN_ASSERT_OK(
      source.Sample({kFirst.wall, kFirst.since_boot + absl::Minutes(1)}, sink));
  EXPECT_EQ(sink.Value("forewarn.cpu.throttle.events"), 17);
}

TEST(CpuSourceTest, WithoutFrequencyAndThrottlingTheRestStays) {
  OverlayHostFiles files("debian-server");
  files.Remove("/sys/devices/system/cpu");
  CpuSource source(files);
  RecordingSink sink("cpu");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  EXPECT_FALSE(sink.Has("system.cpu.frequency"));
  EXPECT_FALSE(sink.Has("forewarn.cpu.throttle.events"));
  EXPECT_EQ(sink.Value("system.cpu.logical.count"), 4);
}

TEST(CpuSourceTest, AMissingFileIsNothingToRead) {
  OverlayHostFiles files("debian-server");
  files.Remove("/proc/stat");
  CpuSource source(files);
  RecordingSink sink("cpu");
  EXPECT_THAT(source.Sample(kFirst, sink),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(sink.readings.empty());
}

TEST(CpuSourceTest, AGarbledLineDoesNotLoseTheRest) {
  const OverlayHostFiles files("garbled");
  CpuSource source(files);
  RecordingSink sink("cpu");
  EXPECT_THAT(source.Sample(kFirst, sink),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(sink.Value("system.cpu.logical.count"), 1);
  EXPECT_EQ(sink.Value("forewarn.cpu.forks"), 7277);
  EXPECT_EQ(sink.readings.size(), 2u);
}

}  // namespace
}  // namespace forewarn::agent
