#include "agent/sources/memory_source.h"

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

constexpr double kKibibyte = 1024;
const SampleTime kNow{absl::FromUnixSeconds(1'800'000'000), absl::Hours(1)};

TEST(MemorySourceTest, ReadsMemory) {
  const OverlayHostFiles files("debian-server");
  MemorySource source(files);
  RecordingSink sink("memory");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value("system.memory.limit"), 16307520 * kKibibyte);
  EXPECT_EQ(sink.Value("system.memory.linux.available"), 9784512 * kKibibyte);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.memory.available.utilization"), 0.6);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.memory.used"), 0.4);
  EXPECT_EQ(sink.Value("forewarn.memory.dirty"), 1204 * kKibibyte);
  EXPECT_EQ(sink.Value("forewarn.memory.writeback"), 16 * kKibibyte);
  EXPECT_EQ(sink.Value("forewarn.memory.shared"), 201448 * kKibibyte);
  EXPECT_EQ(sink.Value("forewarn.memory.kernel_stack"), 9872 * kKibibyte);
  EXPECT_EQ(sink.Value("forewarn.memory.page_tables"), 61004 * kKibibyte);
  EXPECT_EQ(sink.Value("forewarn.memory.commit_limit"), 12348060 * kKibibyte);
  EXPECT_EQ(sink.Value("forewarn.memory.committed"), 7211024 * kKibibyte);
  EXPECT_EQ(sink.Value("forewarn.memory.hardware_corrupted"), 4 * kKibibyte);
}

TEST(MemorySourceTest, StatesAddUpToAllMemory) {
  const OverlayHostFiles files("debian-server");
  MemorySource source(files);
  RecordingSink sink("memory");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  double bytes = 0;
  double share = 0;
  for (const char* state : {"used", "free", "cached", "buffers",
                            "slab_reclaimable", "slab_unreclaimable"}) {
    const std::string attribute =
        absl::StrCat("{system.memory.state=", state, "}");
    bytes += sink.Value("system.memory.usage" + attribute);
    share += sink.Value("system.memory.utilization" + attribute);
  }
  EXPECT_EQ(bytes, sink.Value("system.memory.limit"));
  EXPECT_NEAR(share, 1, 1e-9);
  EXPECT_EQ(sink.Value("system.memory.usage{system.memory.state=cached}"),
            8101220 * kKibibyte);
}

TEST(MemorySourceTest, ReadsSwapAndPaging) {
  const OverlayHostFiles files("debian-server");
  MemorySource source(files);
  RecordingSink sink("memory");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value("system.paging.usage{system.paging.state=used}"),
            1048575 * kKibibyte);
  EXPECT_DOUBLE_EQ(
      sink.Value("system.paging.utilization{system.paging.state=free}"), 0.75);
  EXPECT_EQ(sink.Value("system.paging.operations{system.paging.direction=in}"),
            1200);
  EXPECT_EQ(sink.Value("system.paging.operations{system.paging.direction=out}"),
            45000);
  EXPECT_EQ(sink.Value("system.paging.faults{system.paging.fault.type=major}"),
            30450);
  EXPECT_EQ(sink.Value("system.paging.faults{system.paging.fault.type=minor}"),
            91200000);
  EXPECT_EQ(sink.Value("forewarn.memory.oom_kills"), 2);
}

TEST(MemorySourceTest, WithoutSwapThereIsNoShareOfIt) {
  const OverlayHostFiles files("laptop");
  MemorySource source(files);
  RecordingSink sink("memory");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value("system.paging.usage{system.paging.state=used}"), 0);
  EXPECT_EQ(sink.Count("system.paging.utilization"), 0);
}

TEST(MemorySourceTest, AddsUpErrorsOfAllMemoryControllers) {
  const OverlayHostFiles server("debian-server");
  MemorySource source(server);
  RecordingSink sink("memory");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value("forewarn.memory.ecc.errors{"
                       "forewarn.memory.ecc.type=correctable}"),
            15);
  EXPECT_EQ(sink.Value("forewarn.memory.ecc.errors{"
                       "forewarn.memory.ecc.type=uncorrectable}"),
            1);
  const OverlayHostFiles laptop("laptop");
  MemorySource without(laptop);
  RecordingSink none("memory");
  FOREWARN_ASSERT_OK(without.Sample(kNow, none));
  EXPECT_EQ(none.Count("forewarn.memory.ecc.errors"), 0);
}

TEST(MemorySourceTest, OldKernelsAvailableMemoryIsEstimated) {
  OverlayHostFiles files("debian-server");
  files.Write("/proc/meminfo",
              "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\n"
              "Cached: 250 kB\n");
  MemorySource source(files);
  RecordingSink sink("memory");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.memory.used"), 0.6);
}

TEST(MemorySourceTest, AMissingFileLeavesTheRest) {
  OverlayHostFiles files("debian-server");
  files.Remove("/proc/meminfo");
  MemorySource source(files);
  RecordingSink sink("memory");
  EXPECT_THAT(source.Sample(kNow, sink), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(sink.Has("system.memory.limit"));
  EXPECT_EQ(sink.Value("forewarn.memory.oom_kills"), 2);
}

TEST(MemorySourceTest, AGarbledLineDoesNotLoseTheRest) {
  const OverlayHostFiles files("garbled");
  MemorySource source(files);
  RecordingSink sink("memory");
  EXPECT_THAT(source.Sample(kNow, sink), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(sink.Has("system.memory.limit"));
  EXPECT_EQ(sink.Value("forewarn.memory.dirty"), 128 * kKibibyte);
  // More free than there is: none is used.
  EXPECT_EQ(sink.Value("system.paging.usage{system.paging.state=used}"), 0);
  EXPECT_EQ(sink.Value("forewarn.memory.oom_kills"), 3);
  EXPECT_EQ(sink.Count("system.paging.faults"), 0);
}

}  // namespace
}  // namespace forewarn::agent
