#include "agent/sources/disk_source.h"

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

std::string Of(const std::string& metric, const std::string& device) {
  return absl::StrCat(metric, "{system.device=", device, "}");
}
std::string Of(const std::string& metric, const std::string& direction,
               const std::string& device) {
  return absl::StrCat(metric, "{disk.io.direction=", direction,
                      ",system.device=", device, "}");
}

TEST(DiskSourceTest, ReadsCountersOfWholeDisksOnly) {
  const OverlayHostFiles files("debian-server");
  DiskSource source(files);
  RecordingSink sink("disk");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  EXPECT_EQ(sink.Value(Of("system.disk.io", "read", "sda")), 9600000 * 512.);
  EXPECT_EQ(sink.Value(Of("system.disk.io", "write", "sda")), 24000000 * 512.);
  EXPECT_EQ(sink.Value(Of("system.disk.operations", "write", "sda")), 300000);
  EXPECT_EQ(sink.Value(Of("system.disk.merged", "read", "sda")), 8000);
  EXPECT_EQ(sink.Value(Of("system.disk.operation_time", "write", "sda")), 1500);
  EXPECT_EQ(sink.Value(Of("system.disk.io_time", "sda")), 400);
  EXPECT_EQ(sink.Value(Of("forewarn.disk.pending", "sda")), 2);
  EXPECT_EQ(sink.Value(Of("forewarn.disk.rotational", "sda")), 1);
  EXPECT_EQ(sink.Value(Of("forewarn.disk.rotational", "nvme0n1")), 0);
  // sda, sdb and nvme0n1: neither partitions, optical, unused nor stacked.
  EXPECT_EQ(sink.Count("system.disk.io_time"), 3);
  EXPECT_EQ(sink.Count("forewarn.disk.utilization"), 0);
  EXPECT_EQ(sink.Count("forewarn.disk.latency"), 0);
}

TEST(DiskSourceTest, TellsLatencyAndQueueSinceTheSampleBefore) {
  OverlayHostFiles files("debian-server");
  files.Write("/proc/diskstats",
              " 8 0 sda 100 0 800 1000 100 0 800 1000 0 "
              "2000 2000\n");
  DiskSource source(files);
  RecordingSink sink("disk");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  // 100 reads took 2 s, 300 writes 6 s; busy 5 s, queue 20 s, within 10 s.
  files.Write("/proc/diskstats",
              " 8 0 sda 200 0 800 3000 400 0 800 7000 4 "
              "7000 22000\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_DOUBLE_EQ(sink.Value(Of("forewarn.disk.latency", "read", "sda")),
                   0.02);
  EXPECT_DOUBLE_EQ(sink.Value(Of("forewarn.disk.latency", "write", "sda")),
                   0.02);
  EXPECT_DOUBLE_EQ(sink.Value(Of("forewarn.disk.utilization", "sda")), 0.5);
  EXPECT_DOUBLE_EQ(sink.Value(Of("forewarn.disk.queue", "sda")), 2);
  EXPECT_DOUBLE_EQ(sink.Value(Of("forewarn.disk.backlog", "sda")), 0.04);
  // Nothing done since: no latency, no backlog, an idle disk.
  sink.Clear();
  files.Replace("/proc/diskstats", " 4 7000", " 0 7000");
  FOREWARN_ASSERT_OK(source.Sample(
      {kSecond.wall, kSecond.since_boot + absl::Seconds(10)}, sink));
  EXPECT_EQ(sink.Count("forewarn.disk.latency"), 0);
  EXPECT_EQ(sink.Value(Of("forewarn.disk.utilization", "sda")), 0);
  EXPECT_EQ(sink.Value(Of("forewarn.disk.backlog", "sda")), 0);
}

TEST(DiskSourceTest, ADiskThatFinishesNothingHasABacklog) {
  OverlayHostFiles files("debian-server");
  files.Write("/proc/diskstats", " 8 0 sda 100 0 800 1000 0 0 0 0 3 0 0\n");
  DiskSource source(files);
  RecordingSink sink("disk");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  files.Write("/proc/diskstats",
              " 8 0 sda 100 0 800 1000 0 0 0 0 3 10000 30000\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_DOUBLE_EQ(sink.Value(Of("forewarn.disk.backlog", "sda")), 30);
  EXPECT_DOUBLE_EQ(sink.Value(Of("forewarn.disk.utilization", "sda")), 1);
}

TEST(DiskSourceTest, ACounterResetIsNoActivity) {
  OverlayHostFiles files("debian-server");
  DiskSource source(files);
  RecordingSink sink("disk");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  files.Write("/proc/diskstats", " 8 0 sda 5 0 8 5 5 0 8 5 0 5 5\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_EQ(sink.Value(Of("system.disk.io_time", "sda")), 0.005);
  EXPECT_EQ(sink.Count("forewarn.disk.latency"), 0);
  EXPECT_EQ(sink.Count("forewarn.disk.utilization"), 0);
  EXPECT_EQ(sink.Count("forewarn.disk.queue"), 0);
}

TEST(DiskSourceTest, ADiskThatVanishedStartsAnew) {
  OverlayHostFiles files("debian-server");
  const std::string both = files.Read("/proc/diskstats").value();
  DiskSource source(files);
  RecordingSink sink("disk");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  files.Write("/proc/diskstats", " 8 16 sdb 1 0 8 5 5 0 8 5 0 5 5\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_EQ(sink.Count("system.disk.io_time"), 1);
  files.Write("/proc/diskstats", both);
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(
      {kSecond.wall, kSecond.since_boot + absl::Seconds(10)}, sink));
  EXPECT_FALSE(sink.Has(Of("forewarn.disk.utilization", "sda")));
  EXPECT_TRUE(sink.Has(Of("forewarn.disk.utilization", "sdb")));
}

TEST(DiskSourceTest, ReadsTheStateOfMdArrays) {
  OverlayHostFiles files("debian-server");
  DiskSource source(files);
  RecordingSink sink("disk");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  EXPECT_EQ(sink.Value(Of("forewarn.raid.disks.missing", "md0")), 1);
  EXPECT_EQ(sink.Value(Of("forewarn.raid.disks.failed", "md0")), 1);
  EXPECT_EQ(sink.Value(Of("forewarn.raid.mismatches", "md0")), 128);
  // A stripe has neither spares nor checks.
  files.Remove("/sys/block/md0/md/degraded");
  files.Remove("/sys/block/md0/md/mismatch_cnt");
  files.Write("/sys/block/md0/md/dev-sdb1/state", "in_sync\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_EQ(sink.Count("forewarn.raid.disks.missing"), 0);
  EXPECT_EQ(sink.Value(Of("forewarn.raid.disks.failed", "md0")), 0);
}

TEST(DiskSourceTest, AMissingFileIsNothingToRead) {
  OverlayHostFiles files("debian-server");
  files.Remove("/proc/diskstats");
  DiskSource source(files);
  RecordingSink sink("disk");
  EXPECT_THAT(source.Sample(kFirst, sink),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(sink.readings.empty());
}

TEST(DiskSourceTest, AGarbledLineDoesNotLoseTheRest) {
  OverlayHostFiles files("garbled");
  DiskSource source(files);
  RecordingSink sink("disk");
  FOREWARN_EXPECT_OK(source.Sample(kFirst, sink));
  EXPECT_EQ(sink.Count("system.disk.io_time"), 1);
  EXPECT_EQ(sink.Value(Of("system.disk.io_time", "sdc")), 0.012);
  EXPECT_FALSE(sink.Has(Of("forewarn.disk.rotational", "sdc")));
  files.Write("/proc/diskstats", "nothing\nof use\n");
  EXPECT_THAT(source.Sample(kSecond, sink),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace forewarn::agent
