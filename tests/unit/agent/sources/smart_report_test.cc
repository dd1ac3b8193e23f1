#include "agent/sources/smart_report.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/agent/sources/smart_json.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::testing::HasSubstr;

double Attribute(const SmartReport& report, absl::string_view name) {
  for (const auto& [key, value] : report.attributes) {
    if (key == name) return value;
  }
  return -1;
}

TEST(SmartReportTest, ReadsAHealthyAtaDrive) {
  const auto report = ParseSmartReport(kHealthyAta);
  FOREWARN_ASSERT_OK(report);
  EXPECT_EQ(report->drive, "WDC WD40EFRX-68N32N0 WD-WCC7K0123456");
  EXPECT_EQ(report->passed, true);
  EXPECT_EQ(report->power_on_seconds, 31234 * 3600.0);
  EXPECT_EQ(report->temperature_celsius, 33);
  EXPECT_EQ(report->endurance_used_ratio, std::nullopt);
  EXPECT_EQ(report->critical_warning, std::nullopt);
  EXPECT_EQ(Attribute(*report, "reallocated_sectors"), 0);
  EXPECT_EQ(Attribute(*report, "pending_sectors"), 0);
  EXPECT_EQ(Attribute(*report, "crc_errors"), 2);
  EXPECT_EQ(report->attributes.size(), 6u);
}

TEST(SmartReportTest, ReadsAFailingAtaDrive) {
  const auto report = ParseSmartReport(kFailingAta);
  FOREWARN_ASSERT_OK(report);
  EXPECT_EQ(report->passed, false);
  EXPECT_EQ(Attribute(*report, "reallocated_sectors"), 2816);
  EXPECT_EQ(Attribute(*report, "reported_uncorrectable"), 91);
  EXPECT_EQ(Attribute(*report, "pending_sectors"), 144);
  EXPECT_EQ(Attribute(*report, "offline_uncorrectable"), 144);
  // 4295032833 = 0x1_0001_0001: three counters of Seagate in one.
  EXPECT_EQ(Attribute(*report, "command_timeout"), 1);
}

TEST(SmartReportTest, ReadsTheEnduranceOfASolidStateDrive) {
  const auto report = ParseSmartReport(kWornSsd);
  FOREWARN_ASSERT_OK(report);
  ASSERT_TRUE(report->endurance_used_ratio.has_value());
  EXPECT_DOUBLE_EQ(*report->endurance_used_ratio, 0.37);
}

TEST(SmartReportTest, ReadsAnNvmeDrive) {
  const auto report = ParseSmartReport(kNvme);
  FOREWARN_ASSERT_OK(report);
  EXPECT_EQ(report->drive, "Samsung SSD 970 EVO Plus 1TB S4EWNX0N123456");
  EXPECT_EQ(report->passed, true);
  EXPECT_EQ(report->critical_warning, 4);
  EXPECT_EQ(report->media_errors, 7);
  EXPECT_EQ(report->spare_ratio, 0.96);
  EXPECT_EQ(report->spare_threshold_ratio, 0.10);
  EXPECT_EQ(report->endurance_used_ratio, 0.03);
  EXPECT_EQ(report->temperature_celsius, 41);
  EXPECT_EQ(report->power_on_seconds, 2201 * 3600.0);
  EXPECT_TRUE(report->attributes.empty());
}

TEST(SmartReportTest, ReadsAScsiDrive) {
  const auto report = ParseSmartReport(
      R"({"smartctl":{"exit_status":0},"device":{"name":"/dev/sdx"},
          "scsi_model_name":"SEAGATE ST4000NM0023","serial_number":"Z1Z0",
          "smart_status":{"passed":true},"scsi_grown_defect_list":12,
          "scsi_error_counter_log":{
            "read":{"total_uncorrected_errors":3},
            "write":{"total_uncorrected_errors":1}}})");
  FOREWARN_ASSERT_OK(report);
  EXPECT_EQ(report->drive, "SEAGATE ST4000NM0023 Z1Z0");
  EXPECT_EQ(Attribute(*report, "reallocated_sectors"), 12);
  EXPECT_EQ(Attribute(*report, "reported_uncorrectable"), 4);
}

TEST(SmartReportTest, ASleepingDriveIsNoFailure) {
  const auto report = ParseSmartReport(kAsleep);
  FOREWARN_ASSERT_OK(report);
  EXPECT_TRUE(report->asleep);
  EXPECT_EQ(report->passed, std::nullopt);
}

TEST(SmartReportTest, SaysWhySmartctlCouldNotAsk) {
  EXPECT_THAT(ParseSmartReport(kNotPermitted),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("Permission denied")));
  EXPECT_THAT(
      ParseSmartReport(R"({"smartctl":{"exit_status":1,"messages":[
          {"string":"/dev/vda: Unable to detect device type"}]}})"),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("Unable to detect")));
  EXPECT_THAT(ParseSmartReport(R"({"smartctl":{"exit_status":2}})"),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(SmartReportTest, ADriveWithoutSerialIsNamedByItsDevice) {
  const auto report = ParseSmartReport(
      R"({"device":{"name":"/dev/sda"},"model_name":"USB stick"})");
  FOREWARN_ASSERT_OK(report);
  EXPECT_EQ(report->drive, "sda");
}

TEST(SmartReportTest, OddJsonGivesNothingAndNoCrash) {
  for (const char* json : {"", "[", "[]", "3", "null", "{\"a\":", "\x01\xff",
                           R"({"smart_status":)"}) {
    EXPECT_THAT(ParseSmartReport(json), StatusIs(absl::StatusCode::kDataLoss))
        << json;
    EXPECT_THAT(ParseSmartScan(json), StatusIs(absl::StatusCode::kDataLoss))
        << json;
  }
  const auto report = ParseSmartReport(
      R"({"smart_status":[1],"temperature":"hot","power_on_time":{"hours":"x"},
          "ata_smart_attributes":{"table":[1,"a",null,{"id":5},{"id":"5"},
          {"id":5,"raw":7},{"id":5,"raw":{"value":"8"}}]},
          "nvme_smart_health_information_log":5,"smartctl":{"messages":[7]},
          "device":{"name":"/dev/sda"}})");
  FOREWARN_ASSERT_OK(report);
  EXPECT_TRUE(report->attributes.empty());
  EXPECT_EQ(report->passed, std::nullopt);
  EXPECT_EQ(report->temperature_celsius, std::nullopt);
}

TEST(SmartReportTest, ScanGivesPlainDevicesOnly) {
  const auto devices = ParseSmartScan(
      R"({"devices":[
          {"name":"/dev/sda","type":"sat","protocol":"ATA"},
          {"name":"/dev/nvme0","type":"nvme","protocol":"NVMe"},
          {"name":"/dev/bus/0","type":"megaraid,1"},
          {"name":"/etc/passwd","type":"sat"},
          {"name":"/dev/../etc/passwd","type":"sat"},
          {"name":"/dev/sd b","type":"sat"},
          {"name":"/dev/sdc","type":"-x"},
          {"name":"/dev/sdd"}, 7, {"name":9,"type":"sat"}]})");
  FOREWARN_ASSERT_OK(devices);
  ASSERT_EQ(devices->size(), 3u);
  EXPECT_EQ((*devices)[0].name, "/dev/sda");
  EXPECT_EQ((*devices)[1].type, "nvme");
  EXPECT_EQ((*devices)[2].type, "megaraid,1");
}

TEST(SmartReportTest, ScanWithoutDevicesIsEmpty) {
  const auto devices = ParseSmartScan(R"({"smartctl":{"exit_status":0}})");
  FOREWARN_ASSERT_OK(devices);
  EXPECT_TRUE(devices->empty());
}

}  // namespace
}  // namespace forewarn::agent
