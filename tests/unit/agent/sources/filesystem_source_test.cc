#include "agent/sources/filesystem_source.h"

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

const SampleTime kNow{absl::FromUnixSeconds(1'800'000'000), absl::Hours(1)};

std::string Of(const std::string& metric, const std::string& device,
               const std::string& mountpoint, const std::string& type,
               const std::string& state = "") {
  return absl::StrCat(metric, "{system.device=", device,
                      ",system.filesystem.mountpoint=", mountpoint,
                      state.empty() ? "" : ",system.filesystem.state=", state,
                      ",system.filesystem.type=", type, "}");
}
std::string Root(const std::string& metric, const std::string& state = "") {
  return Of(metric, "/dev/mapper/vg-root", "/", "ext4", state);
}

TEST(FilesystemSourceTest, ReadsSpaceAsDfHasIt) {
  const OverlayHostFiles files("debian-server");
  FilesystemSource source(files);
  RecordingSink sink("filesystem");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value(Root("system.filesystem.limit")), 4096e7);
  EXPECT_EQ(sink.Value(Root("system.filesystem.usage", "used")), 4096 * 6e6);
  EXPECT_EQ(sink.Value(Root("system.filesystem.usage", "free")), 4096 * 3.5e6);
  EXPECT_EQ(sink.Value(Root("system.filesystem.usage", "reserved")),
            4096 * 0.5e6);
  EXPECT_EQ(sink.Value(Root("forewarn.filesystem.available")), 4096 * 3.5e6);
  EXPECT_DOUBLE_EQ(sink.Value(Root("system.filesystem.utilization")), 6 / 9.5);
  EXPECT_EQ(sink.Value(Root("forewarn.filesystem.inodes.usage", "used")),
            560000);
  EXPECT_DOUBLE_EQ(sink.Value(Root("forewarn.filesystem.inodes.utilization")),
                   0.21875);
  EXPECT_DOUBLE_EQ(sink.Value(Of("system.filesystem.utilization", "/dev/sde1",
                                 "/mnt/my disk", "fuseblk")),
                   1);
  EXPECT_TRUE(
      sink.Has(Of("system.filesystem.utilization", "tmpfs", "/tmp", "tmpfs")));
  // / /boot /home /tmp /srv/data /mnt/my disk /mnt/archive
  EXPECT_EQ(sink.Count("system.filesystem.utilization"), 7);
}

TEST(FilesystemSourceTest, InodesAreAbsentWhereTheirNumberIsNotFixed) {
  const OverlayHostFiles files("debian-server");
  FilesystemSource source(files);
  RecordingSink sink("filesystem");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_FALSE(sink.Has(Of("forewarn.filesystem.inodes.utilization", "/dev/md0",
                           "/srv/data", "xfs")));
  EXPECT_FALSE(sink.Has(Of("forewarn.filesystem.inodes.utilization",
                           "/dev/sdd1", "/home", "btrfs")));
}

TEST(FilesystemSourceTest, ReadsErrorCounters) {
  const OverlayHostFiles files("debian-server");
  FilesystemSource source(files);
  RecordingSink sink("filesystem");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value(Root("forewarn.filesystem.errors")), 0);
  EXPECT_EQ(sink.Value(Of("forewarn.filesystem.errors", "/dev/nvme0n1p1",
                          "/boot", "ext4")),
            3);
  EXPECT_EQ(sink.Count("forewarn.filesystem.btrfs.errors"), 5);
  EXPECT_EQ(sink.Value("forewarn.filesystem.btrfs.errors{"
                       "forewarn.error.type=corruption,"
                       "system.device=/dev/sdd1}"),
            4);
}

TEST(FilesystemSourceTest, WhatIsMeantToBeReadOnlyTellsNoSpace) {
  const OverlayHostFiles files("debian-server");
  FilesystemSource source(files);
  RecordingSink sink("filesystem");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  const auto readonly = [](const std::string& metric) {
    return Of(metric, "/dev/sdg", "/mnt/readonly", "ext4");
  };
  EXPECT_EQ(sink.Value(readonly("forewarn.filesystem.readonly")), 1);
  EXPECT_EQ(sink.Value(readonly("forewarn.filesystem.readonly.turned")), 0);
  EXPECT_FALSE(sink.Has(readonly("system.filesystem.limit")));
  // Only this view of it is read-only, the file system is not.
  EXPECT_EQ(sink.Value(Of("forewarn.filesystem.readonly", "/dev/sdf",
                          "/mnt/archive", "ext4")),
            0);
}

TEST(FilesystemSourceTest, NoticesThatItTurnedReadOnly) {
  OverlayHostFiles files("debian-server");
  FilesystemSource source(files);
  RecordingSink sink("filesystem");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value(Root("forewarn.filesystem.readonly.turned")), 0);
  files.Replace("/proc/self/mountinfo", "vg-root rw", "vg-root ro");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value(Root("forewarn.filesystem.readonly")), 1);
  EXPECT_EQ(sink.Value(Root("forewarn.filesystem.readonly.turned")), 1);
  EXPECT_TRUE(sink.Has(Root("system.filesystem.utilization")));
  files.Replace("/proc/self/mountinfo", "vg-root ro", "vg-root rw");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value(Root("forewarn.filesystem.readonly.turned")), 0);
}

TEST(FilesystemSourceTest, ErrorsTellThatItTurnedBeforeTheAgentStarted) {
  OverlayHostFiles files("debian-server");
  files.Replace("/proc/self/mountinfo", "/dev/nvme0n1p1 rw",
                "/dev/nvme0n1p1 ro");
  FilesystemSource source(files);
  RecordingSink sink("filesystem");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value(Of("forewarn.filesystem.readonly.turned",
                          "/dev/nvme0n1p1", "/boot", "ext4")),
            1);
}

TEST(FilesystemSourceTest, FollowsMountsThatComeAndGo) {
  OverlayHostFiles files("laptop");
  FilesystemSource source(files);
  RecordingSink sink("filesystem");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Count("system.filesystem.limit"), 2);
  files.Write("/proc/self/mountinfo",
              files.Read("/proc/self/mountinfo").value() +
                  "90 27 8:1 / /media/stick rw - vfat /dev/sda1 rw\n");
  files.Write("/media/stick.statvfs",
              "block_bytes 512\nblocks 100\nblocks_free 50\n"
              "blocks_available 50\ninodes 0\ninodes_free 0\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_DOUBLE_EQ(sink.Value(Of("system.filesystem.utilization", "/dev/sda1",
                                 "/media/stick", "vfat")),
                   0.5);
}

TEST(FilesystemSourceTest, OneThatCannotBeAskedDoesNotLoseTheRest) {
  OverlayHostFiles files("laptop");
  files.Remove("/boot/efi.statvfs");
  FilesystemSource source(files);
  RecordingSink sink("filesystem");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Count("system.filesystem.limit"), 1);
  files.Write("/.statvfs", "blocks lots\n");
  sink.Clear();
  EXPECT_FALSE(FilesystemSource(files).Sample(kNow, sink).ok());
}

TEST(FilesystemSourceTest, AMissingFileIsNothingToRead) {
  OverlayHostFiles files("laptop");
  files.Remove("/proc/self/mountinfo");
  FilesystemSource source(files);
  RecordingSink sink("filesystem");
  EXPECT_THAT(source.Sample(kNow, sink), StatusIs(absl::StatusCode::kNotFound));
}

TEST(FilesystemSourceTest, CleansMountPoints) {
  OverlayHostFiles files("garbled");
  files.Write(
      "/mnt/\x01\xff"
      "bad.statvfs",
      "block_bytes 512\nblocks 100\nblocks_free 200\n"
      "blocks_available 300\ninodes 10\ninodes_free 20\n");
  FilesystemSource source(files);
  RecordingSink sink("filesystem");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  // Numbers that contradict each other never make it negative.
  EXPECT_EQ(sink.Value(Of("system.filesystem.usage", "/dev/sda3", "/mnt/��bad",
                          "ext4", "used")),
            0);
  EXPECT_EQ(sink.Value(Of("forewarn.filesystem.inodes.usage", "/dev/sda3",
                          "/mnt/��bad", "ext4", "used")),
            0);
}

}  // namespace
}  // namespace forewarn::agent
