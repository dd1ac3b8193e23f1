#include "agent/sources/process_source.h"

#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;

struct Given {
  uint32_t pid = 0;
  std::string name = "app";
  char state = 'S';
  int cpu_seconds = 0;
  int resident_pages = 100;
  int start_seconds = 10;
  int switches = 0;
  int descriptor_slots = 64;
};

class ProcessSourceTest : public ::testing::Test {
 protected:
  ProcessSourceTest() {
    folder_.Write("proc/loadavg", "0.20 0.18 0.12 1/250 11206\n");
    folder_.Write("proc/sys/kernel/pid_max", "1000\n");
    folder_.Write("proc/sys/kernel/threads-max", "500\n");
    folder_.Write("proc/sys/fs/file-nr", "1200\t0\t4800\n");
    folder_.Write("proc/meminfo", "MemTotal:        4000 kB\nMemFree: 1 kB\n");
    folder_.Write("etc/passwd", "anna:x:1000:1000::/:\n");
    folder_.Write("proc/self/stat", "not a process of its own");
  }

  void Put(const Given& given) {
    const long ticks = sysconf(_SC_CLK_TCK);
    const std::string at = absl::StrCat("proc/", given.pid, "/");
    folder_.Write(
        at + "stat",
        absl::StrCat(given.pid, " (", given.name, ") ",
                     std::string(1, given.state),
                     " 1 1 1 0 -1 4194560 5 0 0 0 ", given.cpu_seconds * ticks,
                     " 0 0 0 20 0 1 0 ", given.start_seconds * ticks,
                     " 1000000 ", given.resident_pages, " 1 1\n"));
    folder_.Write(
        at + "status",
        absl::StrCat("Uid:\t1000\t1000\t1000\t1000\nFDSize:\t",
                     given.descriptor_slots, "\nvoluntary_ctxt_switches:\t",
                     given.switches, "\n"));
    folder_.Write(at + "cmdline", std::string("/bin/app\0--run\0", 15));
  }
  void PutFiles(uint32_t pid, int open, int limit) {
    folder_.Write(absl::StrCat("proc/", pid, "/limits"),
                  absl::StrCat("Max open files            ", limit,
                               "       524288   files\n"));
    for (int i = 0; i < open; ++i) {
      folder_.Write(absl::StrCat("proc/", pid, "/fd/", i), "");
    }
  }
  absl::Status Sample(int seconds) {
    sink_.Clear();
    return source_.Sample({absl::FromUnixSeconds(100'000 + seconds),
                           absl::Seconds(1000 + seconds)},
                          sink_);
  }

  TemporaryFolder folder_;
  HostFiles files_{folder_.path()};
  ProcessSource source_{files_};
  RecordingSink sink_{"process"};
};

TEST_F(ProcessSourceTest, CountsProcessesByState) {
  uint32_t pid = 0;
  for (char state : {'R', 'S', 'S', 'D', 'T', 't', 'Z', 'I', 'X'}) {
    Put({.pid = ++pid, .state = state});
  }
  FOREWARN_ASSERT_OK(Sample(0));
  const auto count = [&](const std::string& state) {
    return sink_.Value(
        absl::StrCat("system.process.count{process.state=", state, "}"));
  };
  EXPECT_EQ(count("running"), 1);
  EXPECT_EQ(count("sleeping"), 2);
  EXPECT_EQ(count("blocked"), 1);
  EXPECT_EQ(count("stopped"), 2);
  EXPECT_EQ(count("zombie"), 1);
  EXPECT_EQ(count("other"), 2);
  EXPECT_EQ(sink_.Value("forewarn.process.total"), 9);
  EXPECT_EQ(sink_.Value("forewarn.process.zombies"), 1);
  EXPECT_EQ(sink_.Value("forewarn.process.threads"), 250);
  EXPECT_DOUBLE_EQ(sink_.Value("forewarn.process.pid.utilization"), 0.5);
  EXPECT_EQ(sink_.Value("forewarn.files.open"), 1200);
  EXPECT_DOUBLE_EQ(sink_.Value("forewarn.files.utilization"), 0.25);
}

TEST_F(ProcessSourceTest, NamesTheFiveThatUseMostMemory) {
  for (int i = 1; i <= 8; ++i) {
    Put({.pid = static_cast<uint32_t>(i),
         .name = absl::StrCat("app", i),
         .resident_pages = i * 10,
         .start_seconds = 400});
  }
  FOREWARN_ASSERT_OK(Sample(0));
  const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
  EXPECT_EQ(sink_.Value("forewarn.process.top.memory"), 80 * page);
  EXPECT_DOUBLE_EQ(sink_.Value("forewarn.process.top.memory.share"),
                   80 * page / (4000.0 * 1024));
  ASSERT_EQ(sink_.processes.size(), 1u);
  const v1::ProcessSnapshot& snapshot = sink_.processes[0];
  EXPECT_EQ(snapshot.time().seconds(), 100'000);
  ASSERT_EQ(snapshot.top_memory_size(), 5);
  const v1::Process& first = snapshot.top_memory(0);
  EXPECT_EQ(first.pid(), 8u);
  EXPECT_EQ(first.name(), "app8");
  EXPECT_EQ(first.command(), "/bin/app --run");
  EXPECT_EQ(first.user(), "anna");
  EXPECT_EQ(first.memory_bytes(), static_cast<uint64_t>(80 * page));
  EXPECT_EQ(first.started().seconds(), 100'000 - 600);
  EXPECT_EQ(snapshot.top_memory(4).pid(), 4u);
  // Rates need two readings.
  EXPECT_EQ(snapshot.top_cpu_size(), 0);
  EXPECT_FALSE(sink_.Has("forewarn.process.top.cpu"));
}

TEST_F(ProcessSourceTest, NamesThoseThatUsedMostCpuSinceTheReadingBefore) {
  Put({.pid = 1, .cpu_seconds = 5000});
  Put({.pid = 2, .cpu_seconds = 10});
  FOREWARN_ASSERT_OK(Sample(0));
  Put({.pid = 1, .cpu_seconds = 5003});
  Put({.pid = 2, .cpu_seconds = 70});
  Put({.pid = 3, .cpu_seconds = 15, .start_seconds = 1010});
  FOREWARN_ASSERT_OK(Sample(30));
  EXPECT_DOUBLE_EQ(sink_.Value("forewarn.process.top.cpu"), 2.0);
  const v1::ProcessSnapshot& snapshot = sink_.processes[0];
  ASSERT_EQ(snapshot.top_cpu_size(), 3);
  EXPECT_EQ(snapshot.top_cpu(0).pid(), 2u);
  EXPECT_EQ(snapshot.top_cpu(1).pid(), 3u);
  EXPECT_DOUBLE_EQ(snapshot.top_cpu(1).cpu_ratio(), 0.5);
  EXPECT_DOUBLE_EQ(snapshot.top_cpu(2).cpu_ratio(), 0.1);
}

TEST_F(ProcessSourceTest, APidThatIsUsedAgainStartsFromNothing) {
  Put({.pid = 1, .cpu_seconds = 5000, .start_seconds = 10});
  FOREWARN_ASSERT_OK(Sample(0));
  Put({.pid = 1, .cpu_seconds = 3, .start_seconds = 1020});
  FOREWARN_ASSERT_OK(Sample(30));
  EXPECT_DOUBLE_EQ(sink_.Value("forewarn.process.top.cpu"), 0.1);
}

TEST_F(ProcessSourceTest, FindsTheProcessNearestToItsOwnFileLimit) {
  Put({.pid = 1, .descriptor_slots = 64});
  PutFiles(1, 9, 10);
  Put({.pid = 2, .descriptor_slots = 256});
  PutFiles(2, 50, 1000);
  Put({.pid = 3, .descriptor_slots = 4096});
  PutFiles(3, 5, 0);  // garbled
  FOREWARN_ASSERT_OK(Sample(0));
  EXPECT_DOUBLE_EQ(sink_.Value("forewarn.process.top.files.utilization"), 0.9);
}

TEST_F(ProcessSourceTest, SaysNothingOfFilesItMayNotSee) {
  Put({.pid = 1});
  FOREWARN_ASSERT_OK(Sample(0));
  EXPECT_FALSE(sink_.Has("forewarn.process.top.files.utilization"));
}

TEST_F(ProcessSourceTest, StuckIsOneThatWaitsForAMinuteUnscheduled) {
  Put({.pid = 1, .state = 'D', .switches = 7});
  Put({.pid = 2, .state = 'D', .switches = 7});
  FOREWARN_ASSERT_OK(Sample(0));
  EXPECT_EQ(sink_.Value("forewarn.process.uninterruptible"), 0);
  Put({.pid = 2, .state = 'D', .switches = 8});  // waits, but moves on
  FOREWARN_ASSERT_OK(Sample(30));
  EXPECT_EQ(sink_.Value("forewarn.process.uninterruptible"), 0);
  Put({.pid = 2, .state = 'D', .switches = 9});
  FOREWARN_ASSERT_OK(Sample(60));
  EXPECT_EQ(sink_.Value("forewarn.process.uninterruptible"), 1);
  Put({.pid = 1, .state = 'S', .switches = 8});
  FOREWARN_ASSERT_OK(Sample(90));
  EXPECT_EQ(sink_.Value("forewarn.process.uninterruptible"), 0);
}

TEST_F(ProcessSourceTest, GarbledAndVanishedProcessesHideNoOther) {
  Put({.pid = 1});
  folder_.Write("proc/2/stat", "what is this");
  std::filesystem::create_directories(folder_ / "proc/3");
  FOREWARN_ASSERT_OK(Sample(0));
  EXPECT_EQ(sink_.Value("system.process.count{process.state=sleeping}"), 1);
  EXPECT_EQ(sink_.Value("forewarn.process.total"), 3);
}

TEST_F(ProcessSourceTest, MissingSystemFilesLeaveTheirMetricsOut) {
  std::filesystem::remove_all(folder_ / "proc/sys");
  std::filesystem::remove(folder_ / "proc/loadavg");
  folder_.Write("proc/meminfo", "MemTotal: garbled kB\n");
  Put({.pid = 1});
  FOREWARN_ASSERT_OK(Sample(0));
  EXPECT_FALSE(sink_.Has("forewarn.files.open"));
  EXPECT_FALSE(sink_.Has("forewarn.process.threads"));
  EXPECT_FALSE(sink_.Has("forewarn.process.pid.utilization"));
  EXPECT_FALSE(sink_.Has("forewarn.process.top.memory.share"));
  EXPECT_TRUE(sink_.Has("forewarn.process.top.memory"));
}

TEST_F(ProcessSourceTest, WithoutProcessesThereIsNothing) {
  EXPECT_THAT(Sample(0), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(sink_.readings.empty());
}

}  // namespace
}  // namespace forewarn::agent
