#include "agent/sources/mount_table.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/overlay_host_files.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::OverlayHostFiles;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> Mountpoints(absl::string_view mountinfo) {
  std::vector<std::string> mountpoints;
  for (const Mount& mount : WatchedMounts(mountinfo)) {
    mountpoints.push_back(mount.mountpoint);
  }
  return mountpoints;
}

TEST(MountTableTest, WatchesWhatCanFillUp) {
  const OverlayHostFiles files("debian-server");
  EXPECT_THAT(Mountpoints(files.Read("/proc/self/mountinfo").value()),
              UnorderedElementsAre("/", "/boot", "/home", "/mnt/archive",
                                   "/mnt/my disk", "/mnt/readonly", "/srv/data",
                                   "/tmp"));
}

TEST(MountTableTest, ADeviceCountsOnceAtItsRootThenShortest) {
  EXPECT_THAT(Mountpoints("1 0 8:1 / /srv/data rw - xfs /dev/sda1 rw\n"
                          "2 0 8:1 /www /www rw - xfs /dev/sda1 rw\n"
                          "3 0 0:40 /@ /srv/pool rw - btrfs /dev/sdb rw\n"
                          "4 0 0:40 /@home /home rw - btrfs /dev/sdb rw\n"),
              UnorderedElementsAre("/srv/data", "/home"));
}

TEST(MountTableTest, ATmpfsNeedsASizeOfItsOwnAndAPlaceOfItsOwn) {
  const auto watched = [](const std::string& place,
                          const std::string& options) {
    return !Mountpoints("1 0 0:9 / " + place + " rw - tmpfs x " + options +
                        "\n")
                .empty();
  };
  EXPECT_TRUE(watched("/tmp", "rw,size=2048k"));
  EXPECT_TRUE(watched("/running", "rw,size=2048k"));
  EXPECT_FALSE(watched("/tmp", "rw,mode=755"));
  EXPECT_FALSE(watched("/tmp", "rw,maxsize=1"));
  EXPECT_FALSE(watched("/tmp", "ro,size=2048k"));
  EXPECT_FALSE(watched("/run", "rw,size=2048k"));
  EXPECT_FALSE(watched("/run/user/1000", "rw,size=2048k"));
  EXPECT_FALSE(watched("/dev/shm", "rw,size=2048k"));
  EXPECT_FALSE(watched("/sys/fs/cgroup", "rw,size=2048k"));
  EXPECT_FALSE(watched("/proc/x", "rw,size=2048k"));
  EXPECT_FALSE(watched("/var/lib/kubelet/pods/1/x", "rw,size=2048k"));
}

TEST(MountTableTest, ADiskMountedForContainersIsTheMachinesOwn) {
  EXPECT_THAT(
      Mountpoints("1 0 8:1 / /var/lib/docker rw - ext4 /dev/sdb1 rw\n"
                  "2 0 8:2 / /var/lib/docker/x rw - ext4 /dev/sdb2 rw\n"),
      ElementsAre("/var/lib/docker"));
}

TEST(MountTableTest, OnlyAReadOnlyLoopDeviceIsAnImage) {
  EXPECT_THAT(Mountpoints("1 0 7:1 / /a ro - ext4 /dev/loop1 ro\n"
                          "2 0 7:2 / /b rw - ext4 /dev/loop2 rw\n"),
              ElementsAre("/b"));
}

TEST(MountTableTest, AReadOnlyViewIsNoReadOnlyFileSystem) {
  const auto mounts = WatchedMounts(
      "1 0 8:1 / / ro,relatime - ext4 /dev/sda1 rw\n"
      "2 0 8:2 / /b rw,relatime - ext4 /dev/sda2 ro,noatime\n");
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_FALSE(mounts[0].read_only);
  EXPECT_TRUE(mounts[1].read_only);
}

TEST(MountTableTest, ALaterMountHidesTheOneBelow) {
  EXPECT_THAT(Mountpoints("1 0 8:1 / /data rw - ext4 /dev/sda1 rw\n"
                          "2 1 0:50 / /data rw - nfs4 files:/x rw\n"),
              IsEmpty());
}

TEST(MountTableTest, LinesThatMakeNoSenseAreSkipped) {
  EXPECT_THAT(Mountpoints("\n1 2\n1 0 8:1 / /x rw\n1 0 8:1 / /x rw - ext4\n"
                          "1 0 8:1 / x rw - ext4 /dev/a rw\n"
                          "1 0 8:1 / /good rw - ext4 /dev/sda1 rw"),
              ElementsAre("/good"));
}

TEST(MountTableTest, IsBounded) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    absl::StrAppend(&text, i, " 0 8:", i, " / /d", i, " rw - ext4 /dev/x rw\n");
  }
  EXPECT_EQ(WatchedMounts(text).size(), 128u);
}

}  // namespace
}  // namespace forewarn::agent
