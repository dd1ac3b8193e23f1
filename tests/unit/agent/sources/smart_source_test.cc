#include "agent/sources/smart_source.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/agent/sources/smart_json.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;

constexpr char kScanTwo[] =
    R"({"devices":[{"name":"/dev/sda","type":"sat"},
                   {"name":"/dev/nvme0","type":"nvme"}]})";
constexpr char kWdc[] = "hw.id=WDC WD40EFRX-68N32N0 WD-WCC7K0123456";
constexpr char kSamsung[] = "hw.id=Samsung SSD 970 EVO Plus 1TB S4EWNX0N123456";

// Answers by the last argument.
class Answers {
 public:
  absl::StatusOr<std::string> operator()(
      const std::vector<std::string>& arguments) {
    calls.push_back(arguments);
    const auto found = by_device.find(
        arguments[0] == "--scan-open" ? "scan" : arguments.back());
    if (found == by_device.end()) return absl::NotFoundError("no smartctl");
    return found->second;
  }

  std::map<std::string, absl::StatusOr<std::string>> by_device;
  std::vector<std::vector<std::string>> calls;
};

class SmartSourceTest : public ::testing::Test {
 protected:
  absl::Status Sample() { return source_.Sample({}, sink_); }

  Answers answers_;
  SmartSource source_{[this](const std::vector<std::string>& arguments) {
    return answers_(arguments);
  }};
  RecordingSink sink_{"smart"};
};

TEST_F(SmartSourceTest, ReadsAllDrivesWithoutWakingThem) {
  answers_.by_device = {{"scan", std::string(kScanTwo)},
                        {"/dev/sda", std::string(kHealthyAta)},
                        {"/dev/nvme0", std::string(kNvme)}};
  FOREWARN_ASSERT_OK(Sample());
  const std::string wdc = std::string("{") + kWdc + "}";
  const std::string samsung = std::string("{") + kSamsung + "}";
  EXPECT_EQ(sink_.Value("forewarn.smart.passed" + wdc), 1);
  EXPECT_EQ(sink_.Value("forewarn.smart.temperature" + wdc), 33);
  EXPECT_EQ(sink_.Value("forewarn.smart.power_on" + wdc), 31234 * 3600.0);
  EXPECT_EQ(sink_.Value(std::string("hw.physical_disk.smart{") + kWdc +
                        ",hw.physical_disk.smart_attribute=crc_errors}"),
            2);
  EXPECT_EQ(sink_.Value("forewarn.nvme.critical_warning" + samsung), 4);
  EXPECT_EQ(sink_.Value("forewarn.nvme.media_errors" + samsung), 7);
  EXPECT_DOUBLE_EQ(sink_.Value("forewarn.nvme.spare" + samsung), 0.96);
  EXPECT_NEAR(sink_.Value("forewarn.nvme.spare.margin" + samsung), 0.86, 1e-9);
  EXPECT_DOUBLE_EQ(
      sink_.Value("hw.physical_disk.endurance_utilization" + samsung), 0.03);
  ASSERT_EQ(answers_.calls.size(), 3u);
  EXPECT_THAT(answers_.calls[1],
              ::testing::ElementsAre("--json=c", "-n", "standby", "-a", "-d",
                                     "sat", "/dev/sda"));
}

TEST_F(SmartSourceTest, ADriveSeenTwiceIsReadOnce) {
  answers_.by_device = {{"scan", std::string(kScanTwo)},
                        {"/dev/sda", std::string(kHealthyAta)},
                        {"/dev/nvme0", std::string(kHealthyAta)}};
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(sink_.Count("forewarn.smart.passed"), 1);
}

TEST_F(SmartSourceTest, OneThatCannotBeAskedHidesNoOther) {
  answers_.by_device = {{"scan", std::string(kScanTwo)},
                        {"/dev/sda", std::string("no json")},
                        {"/dev/nvme0", std::string(kNvme)}};
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_EQ(sink_.Count("forewarn.smart.passed"), 1);
}

TEST_F(SmartSourceTest, NoneThatCanBeAskedIsAFailure) {
  answers_.by_device = {{"scan", std::string(kScanTwo)},
                        {"/dev/sda", absl::DeadlineExceededError("timed out")},
                        {"/dev/nvme0", std::string("no json")}};
  EXPECT_THAT(Sample(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                 ::testing::HasSubstr("/dev/sda")));
}

TEST_F(SmartSourceTest, AllAsleepIsNoFailure) {
  answers_.by_device = {{"scan", std::string(kScanTwo)},
                        {"/dev/sda", std::string(kAsleep)},
                        {"/dev/nvme0", std::string(kAsleep)}};
  FOREWARN_ASSERT_OK(Sample());
  EXPECT_TRUE(sink_.readings.empty());
}

TEST_F(SmartSourceTest, WithoutSmartctlDrivesOrRightsItIsQuiet) {
  EXPECT_THAT(Sample(), StatusIs(absl::StatusCode::kNotFound));
  answers_.by_device = {{"scan", std::string("{}")}};
  EXPECT_THAT(Sample(), StatusIs(absl::StatusCode::kNotFound));
  answers_.by_device = {{"scan", std::string(kScanTwo)},
                        {"/dev/sda", std::string(kNotPermitted)},
                        {"/dev/nvme0", std::string(kNotPermitted)}};
  EXPECT_THAT(Sample(), StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_TRUE(sink_.readings.empty());
}

}  // namespace
}  // namespace forewarn::agent
