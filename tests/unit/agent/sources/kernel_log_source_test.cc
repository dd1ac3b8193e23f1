#include "agent/sources/kernel_log_source.h"

#include <deque>
#include <memory>
#include <string>
#include <utility>

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

constexpr char kIo[] =
    "forewarn.kernel.log.events{forewarn.kernel.log.type="
    "io_error}";
constexpr char kOom[] =
    "forewarn.kernel.log.events{forewarn.kernel.log.type="
    "oom_kill}";

using Records = std::deque<absl::StatusOr<std::optional<std::string>>>;

class FakeKernelLog final : public KernelLog {
 public:
  explicit FakeKernelLog(std::shared_ptr<Records> records)
      : records_(std::move(records)) {}

  absl::StatusOr<std::optional<std::string>> Next() override {
    if (records_->empty()) return std::nullopt;
    auto record = std::move(records_->front());
    if (record.ok() || absl::IsDataLoss(record.status())) {
      records_->pop_front();
    }
    return record;
  }

 private:
  const std::shared_ptr<Records> records_;  // the test's and the source's
};

class KernelLogSourceTest : public ::testing::Test {
 protected:
  void Say(const std::string& text) {
    records_->emplace_back(absl::StrCat("4,", ++sequence_, ",1,-;", text));
  }
  absl::Status Sample() {
    sink_.Clear();
    return source_.Sample({absl::FromUnixSeconds(1000), absl::Hours(1)}, sink_);
  }

  TemporaryFolder folder_;
  HostFiles files_{folder_.path()};
  std::shared_ptr<Records> records_ = std::make_shared<Records>();
  KernelLogSource source_{files_, std::make_unique<FakeKernelLog>(records_)};
  RecordingSink sink_{"kernel_log"};
  int sequence_ = 0;
};

TEST_F(KernelLogSourceTest, CountsAllTypesFromZeroOn) {
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(sink_.Count("forewarn.kernel.log.events"), 10);
  EXPECT_EQ(sink_.Value(kIo), 0);
}

TEST_F(KernelLogSourceTest, CountsGrowAndEachFindingIsAnEvent) {
  Say("I/O error, dev sda, sector 1 op 0x0:(READ)");
  Say("Out of memory: Killed process 7 (ja\x01va) total-vm:1kB");
  Say("all is well");
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(sink_.Value(kIo), 1);
  EXPECT_EQ(sink_.Value(kOom), 1);
  ASSERT_EQ(sink_.events.size(), 2u);
  EXPECT_EQ(sink_.events[0].name(), "forewarn.event.io_error");
  EXPECT_EQ(sink_.events[0].time().seconds(), 1000);
  ASSERT_EQ(sink_.events[0].attributes_size(), 1);
  EXPECT_EQ(sink_.events[0].attributes(0).key(), "system.device");
  EXPECT_EQ(sink_.events[0].attributes(0).value(), "sda");
  EXPECT_EQ(sink_.events[1].attributes(0).value(), "ja\xEF\xBF\xBDva");
  EXPECT_EQ(sink_.events[1].attributes(1).value(), "7");
  EXPECT_EQ(sink_.events[1].message(),
            "Out of memory: Killed process 7 (ja\xEF\xBF\xBDva) total-vm:1kB");

  Say("I/O error, dev sda, sector 2 op 0x0:(READ)");
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(sink_.Value(kIo), 2);
  EXPECT_EQ(sink_.events.size(), 1u);
}

TEST_F(KernelLogSourceTest, AFloodIsCountedButGivesTwentyEventsATick) {
  for (int i = 0; i < 100; ++i) Say("I/O error, dev sda, sector 1");
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(sink_.Value(kIo), 100);
  EXPECT_EQ(sink_.events.size(), 20u);
}

TEST_F(KernelLogSourceTest, ReadsABoundedNumberOfRecordsATick) {
  for (int i = 0; i < KernelLogSource::kMaxRecords + 5; ++i) {
    Say("I/O error, dev sda, sector 1");
  }
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(sink_.Value(kIo), KernelLogSource::kMaxRecords);
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(sink_.Value(kIo), KernelLogSource::kMaxRecords + 5);
}

TEST_F(KernelLogSourceTest, GoesOnAfterOverwrittenRecords) {
  records_->emplace_back(absl::DataLossError("overwritten"));
  Say("I/O error, dev sda, sector 1");
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(sink_.Value(kIo), 1);
}

TEST_F(KernelLogSourceTest, WithoutALogSaysNothingOfIt) {
  records_->emplace_back(absl::NotFoundError("no log"));
  EXPECT_THAT(Sample(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(sink_.Count("forewarn.kernel.log.events"), 0);
}

TEST_F(KernelLogSourceTest, WithoutThePermissionIsNoFailure) {
  folder_.Write("proc/sys/kernel/tainted", "0\n");
  records_->emplace_back(absl::PermissionDeniedError("open /dev/kmsg"));
  EXPECT_THAT(Sample(), StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_EQ(sink_.Value("forewarn.kernel.tainted"), 0);
}

TEST_F(KernelLogSourceTest, OnlyTroubleTaintsTheKernel) {
  for (const auto& [text, expected] : {std::pair{"0", 0},
                                       {"4097", 0},
                                       {"128", 1},
                                       {"16", 1},
                                       {"32", 1},
                                       {"4225", 1}}) {
    folder_.Write("proc/sys/kernel/tainted", text);
    FOREWARN_ASSERT_OK(Sample());
    EXPECT_EQ(sink_.Value("forewarn.kernel.tainted"), expected) << text;
  }
}

TEST_F(KernelLogSourceTest, GarbledTaintIsAFailureBesideAGoodLog) {
  folder_.Write("proc/sys/kernel/tainted", "what");
  EXPECT_THAT(Sample(), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(sink_.Count("forewarn.kernel.log.events"), 10);
}

TEST(KmsgLogTest, StartsAtTheEnd) {
  KmsgLog log;
  const auto record = log.Next();
  // Where it may be read at all, nothing old is given.
  if (record.ok()) {
    EXPECT_EQ(*record, std::nullopt);
  } else {
    EXPECT_TRUE(absl::IsNotFound(record.status()) ||
                absl::IsPermissionDenied(record.status()))
        << record.status();
  }
}

}  // namespace
}  // namespace forewarn::agent
