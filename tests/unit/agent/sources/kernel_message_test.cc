#include "agent/sources/kernel_message.h"

#include <optional>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/wire/metric_catalog.h"

namespace forewarn::agent {
namespace {

struct Telling {
  const char* text;
  const char* type;
  const char* process;
  const char* device;
};

// As kernels from 4.4 to 6.12 have written them.
constexpr Telling kTelling[] = {
    {"Out of memory: Killed process 28123 (java) total-vm:8123456kB, "
     "anon-rss:6012344kB, file-rss:0kB, shmem-rss:0kB, UID:1000 "
     "pgtables:12345kB oom_score_adj:0",
     "oom_kill", "java", ""},
    {"Memory cgroup out of memory: Killed process 3244 (stress-ng (vm)) "
     "total-vm:268436kB, anon-rss:262104kB, file-rss:0kB",
     "oom_kill", "stress-ng (vm)", ""},
    {"Killed process 1234, UID 33, (apache2) total-vm:400000kB, "
     "anon-rss:200000kB",
     "oom_kill", "apache2", ""},
    {"blk_update_request: I/O error, dev sda, sector 123456 op 0x0:(READ) "
     "flags 0x80700 phys_seg 1 prio class 0",
     "io_error", "", "sda"},
    {"I/O error, dev nvme0n1, sector 2048 op 0x1:(WRITE) flags 0x0 phys_seg 1",
     "io_error", "", "nvme0n1"},
    {"critical medium error, dev sdb, sector 7814037 op 0x0:(READ) flags 0x0",
     "io_error", "", "sdb"},
    {"Buffer I/O error on dev dm-0, logical block 0, async page read",
     "io_error", "", "dm-0"},
    {"Buffer I/O error on device sdc1, logical block 5", "io_error", "",
     "sdc1"},
    {"print_req_error: I/O error, dev sdc, sector 0", "io_error", "", "sdc"},
    {"ata1.00: failed command: READ FPDMA QUEUED", "io_error", "", "ata1.00"},
    {"md/raid1:md0: Disk failure on sdb1, disabling device.", "io_error", "",
     "sdb1"},
    {"sd 2:0:0:0: [sdd] rejecting I/O to offline device", "io_error", "",
     "sdd"},
    {"EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: "
     "reading directory lblock 0",
     "filesystem_error", "", "sda1"},
    {"EXT4-fs (dm-1): Remounting filesystem read-only", "filesystem_error", "",
     "dm-1"},
    {"EXT4-fs (sda1): error count since last fsck: 12", "filesystem_error", "",
     "sda1"},
    {"JBD2: Detected IO errors while flushing file data on sda1-8",
     "filesystem_error", "", "sda1-8"},
    {"Aborting journal on device sda1-8.", "filesystem_error", "", "sda1-8"},
    {"XFS (sdb1): Metadata corruption detected at "
     "xfs_agf_read_verify+0x70/0x120 [xfs], xfs_agf block 0x1",
     "filesystem_error", "", "sdb1"},
    {"XFS (dm-3): metadata I/O error in \"xfs_da_read_buf+0xe1\" at daddr 0x8 "
     "len 8 error 5",
     "filesystem_error", "", "dm-3"},
    {"XFS (sdb1): Filesystem has been shut down due to log error (0x2).",
     "filesystem_error", "", "sdb1"},
    {"BTRFS error (device sda2): parent transid verify failed on 1234 wanted "
     "10 found 8",
     "filesystem_error", "", "sda2"},
    {"BTRFS warning (device sda3): csum failed root 5 ino 257 off 0 csum "
     "0x1 expected csum 0x2 mirror 1",
     "filesystem_error", "", "sda3"},
    {"BTRFS critical (device sdb: state A): corrupt leaf: root=2 block=1",
     "filesystem_error", "", "sdb"},
    {"BTRFS info (device sda3: state E): forced readonly", "filesystem_error",
     "", "sda3"},
    {"INFO: task jbd2/sda1-8:234 blocked for more than 120 seconds.",
     "hung_task", "jbd2/sda1-8", ""},
    {"INFO: task kworker/u8:2:123 blocked for more than 241 seconds.",
     "hung_task", "kworker/u8:2", ""},
    {"mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 5: be00000000800400",
     "machine_check", "", ""},
    {"EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0",
     "machine_check", "", ""},
    {"{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error "
     "Source: 0",
     "machine_check", "", ""},
    {"foo[1234]: segfault at 0 ip 000055d0c0de1149 sp 00007ffd error 4 in "
     "foo[55d0c0de1000+1000]",
     "segfault", "foo", ""},
    {"Web Content[77]: segfault at 8 ip 00007f sp 00007f error 6", "segfault",
     "Web Content", ""},
    {"traps: bar[99] general protection fault ip:7f12 sp:7ffe error:0 in "
     "libc.so.6[7f1200000000+195000]",
     "segfault", "bar", ""},
    {"traps: baz[5] trap invalid opcode ip:40 sp:7f error:0 in baz[40+1]",
     "segfault", "baz", ""},
    {"usb 1-1: device descriptor read/64, error -71", "usb_error", "", "1-1"},
    {"usb usb1-port3: unable to enumerate USB device", "usb_error", "",
     "usb1-port3"},
    {"usb 2-3: device not accepting address 5, error -71", "usb_error", "",
     "2-3"},
    {"xhci_hcd 0000:00:14.0: HC died; cleaning up", "usb_error", "",
     "0000:00:14.0"},
    {"watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [qemu-kvm:1234]",
     "soft_lockup", "qemu-kvm", ""},
    {"NMI watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [kworker/0:1:45]",
     "soft_lockup", "kworker/0:1", ""},
    {"rcu: INFO: rcu_preempt self-detected stall on CPU", "soft_lockup", "",
     ""},
    {"nvme nvme0: I/O 123 QID 4 timeout, aborting", "nvme_error", "", "nvme0"},
    {"nvme nvme1: controller is down; will reset: CSTS=0xffffffff, "
     "PCI_STATUS=0x10",
     "nvme_error", "", "nvme1"},
    {"nvme0n1: I/O Cmd(0x2) @ LBA 12, 8 blocks, I/O Error (sct 0x2 / sc 0x81)",
     "nvme_error", "", "nvme0n1"},
    {"e1000e: eth0 NIC Link is Down", "link_down", "", "eth0"},
    {"igb 0000:01:00.0 eth1: igb: eth1 NIC Link is Down", "link_down", "",
     "eth1"},
    {"r8169 0000:03:00.0 enp3s0: Link is Down", "link_down", "", "enp3s0"},
    {"mlx5_core 0000:3b:00.0 ens1f0: Link down", "link_down", "", "ens1f0"},
    {"bond0: (slave eth2): link status definitely down, disabling slave",
     "link_down", "", "eth2"},
    {"bond0: link status definitely down for interface eth2, disabling it",
     "link_down", "", "eth2"},
};

TEST(KernelMessageTest, FindsWhatTellingMessagesTell) {
  for (const Telling& telling : kTelling) {
    SCOPED_TRACE(telling.text);
    const auto finding = ClassifyKernelMessage(telling.text);
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(finding->type, telling.type);
    EXPECT_EQ(finding->process, telling.process);
    EXPECT_EQ(finding->device, telling.device);
  }
}

TEST(KernelMessageTest, EveryTypeIsFoundAndInTheCatalogue) {
  std::set<std::string> found;
  for (const Telling& telling : kTelling) {
    found.insert(telling.type);
  }
  const wire::MetricInfo* row = wire::FindMetric("forewarn.kernel.log.events");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(found.size(), KernelFindingTypes().size());
  for (absl::string_view type : KernelFindingTypes()) {
    EXPECT_EQ(found.count(std::string(type)), 1u) << type;
    EXPECT_THAT(row->meaning, ::testing::HasSubstr(std::string(type)));
  }
}

TEST(KernelMessageTest, LookAlikesTellNothing) {
  for (const char* text :
       {// The same fault's other lines.
        "java invoked oom-killer: gfp_mask=0x140cca, order=0",
        "Out of memory: Kill process 123 (x) score 900 or sacrifice child",
        "oom_reaper: reaped process 28123 (java), now anon-rss:0kB",
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=java",
        "ata1.00: status: { DRDY ERR }",
        "mce: [Hardware Error]: TSC 0 ADDR 1ffd3c6c0",
        // Ordinary life.
        "EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: "
        "errors=remount-ro",
        "EXT4-fs (sda1): re-mounted. Opts: errors=remount-ro. Quota mode: "
        "none.",
        "XFS (sdb1): Ending clean mount",
        "XFS (sdb1): Starting recovery (logdev: internal)",
        "BTRFS info (device sda3): disk space caching is enabled",
        "FAT-fs (sdb1): Volume was not properly unmounted. Some data may be "
        "corrupt. Please run fsck.",
        "blk_update_request: I/O error, dev fd0, sector 0",
        "I/O error, dev sr0, sector 0 op 0x0:(READ) flags 0x80700",
        "blk_update_request: critical target error, dev sda, sector 0 op "
        "0x3:(DISCARD) flags 0x0",
        "mce: CPU0: Core temperature/speed normal",
        "mce: CPU supports 20 MCE banks",
        "usb 1-1: new high-speed USB device number 5 using xhci_hcd",
        "usb 1-1: USB disconnect, device number 5",
        "usb 3-2: reset high-speed USB device number 2 using xhci_hcd",
        "nvme nvme0: 8/0/0 default/read/poll queues",
        "nvme nvme0: Shutdown timeout set to 10 seconds",
        "ata3: SATA link down (SStatus 0 SControl 300)",
        "IPv6: ADDRCONF(NETDEV_UP): eth0: link is not ready",
        "r8169 0000:03:00.0 enp3s0: Link is Up - 1Gbps/Full",
        "e1000e: eth0 NIC Link is Up 1000 Mbps Full Duplex",
        "watchdog: softdog initialized", "", "Killed process ",
        "INFO: lockdep is turned off."}) {
    const auto finding = ClassifyKernelMessage(text);
    EXPECT_FALSE(finding.has_value())
        << text << " -> " << (finding ? finding->type : "");
  }
}

TEST(KernelMessageTest, NameOfAProcessCannotForgeAnotherType) {
  const auto finding = ClassifyKernelMessage(
      "EXT4-fs error[123]: segfault at 0 ip 00 sp 00 error 4");
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->type, "segfault");
  EXPECT_EQ(finding->pid, "123");
}

TEST(KernelMessageTest, TakesTheTextOfRecordsOfTheKernelOnly) {
  EXPECT_EQ(KernelRecordText("6,339,5140900,-;NET: Registered\n SUBSYSTEM=x"),
            std::optional<absl::string_view>("NET: Registered"));
  EXPECT_EQ(KernelRecordText("3,1,2,-,caller=T1;a;b"),
            std::optional<absl::string_view>("a;b"));
  // Facility 1, user space: priority 8 and more.
  EXPECT_EQ(KernelRecordText("12,340,5140900,-;systemd: I/O error, dev sda,"),
            std::nullopt);
  EXPECT_EQ(KernelRecordText(""), std::nullopt);
  EXPECT_EQ(KernelRecordText("no record"), std::nullopt);
  EXPECT_EQ(KernelRecordText("x,1,2,-;text"), std::nullopt);
}

}  // namespace
}  // namespace forewarn::agent
