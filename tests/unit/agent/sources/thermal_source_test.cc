#include "agent/sources/thermal_source.h"

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
const SampleTime kSecond{kFirst.wall + absl::Seconds(30),
                         kFirst.since_boot + absl::Seconds(30)};

std::string Sensor(const std::string& metric, const std::string& id,
                   const std::string& name, const std::string& location) {
  return absl::StrCat(metric, "{hw.id=", id, ",hw.name=", name,
                      ",hw.sensor_location=", location, "}");
}
std::string Of(const std::string& metric, const std::string& id,
               const std::string& name) {
  return absl::StrCat(metric, "{hw.id=", id, ",hw.name=", name, "}");
}

const std::string kCpuFan =
    Of("forewarn.fan.stopped", "nct6775/nct6775.656/fan1", "CPU Fan");
const std::string kLaptopFan =
    Of("forewarn.fan.stopped", "thinkpad/thinkpad_hwmon/fan1", "thinkpad fan1");

TEST(ThermalSourceTest, ReadsTemperaturesByTheirOwnCriticalValue) {
  const OverlayHostFiles files("debian-server");
  ThermalSource source(files);
  RecordingSink sink("thermal");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  const std::string id = "coretemp/coretemp.0/temp1";
  EXPECT_EQ(
      sink.Value(Sensor("hw.temperature", id, "coretemp", "Package id 0")), 52);
  EXPECT_DOUBLE_EQ(sink.Value(Sensor("forewarn.thermal.critical.share", id,
                                     "coretemp", "Package id 0")),
                   0.52);
  EXPECT_EQ(sink.Value(Sensor("forewarn.thermal.alarm", id, "coretemp",
                              "Package id 0")),
            0);
}

TEST(ThermalSourceTest, LeavesOutSensorsAndAlarmsThatAreNotConnected) {
  const OverlayHostFiles files("debian-server");
  ThermalSource source(files);
  RecordingSink sink("thermal");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  // 127 degrees on AUXTIN0; SYSTIN's alarm goes by a maximum of 0.
  EXPECT_EQ(sink.Count("hw.temperature"), 3);
  EXPECT_EQ(sink.Count("forewarn.thermal.alarm"), 2);
}

TEST(ThermalSourceTest, ReadsFansAndVoltages) {
  const OverlayHostFiles files("debian-server");
  ThermalSource source(files);
  RecordingSink sink("thermal");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  EXPECT_EQ(
      sink.Value(Of("hw.fan.speed", "nct6775/nct6775.656/fan1", "CPU Fan")),
      1820);
  EXPECT_DOUBLE_EQ(
      sink.Value(Of("hw.voltage", "nct6775/nct6775.656/in0", "Vcore")), 1.104);
  EXPECT_EQ(
      sink.Value(Of("hw.voltage", "nct6775/nct6775.656/in1", "nct6775 in1")),
      12.096);
  // A header without a fan is no fan that stopped.
  EXPECT_EQ(sink.Count("forewarn.fan.stopped"), 1);
}

TEST(ThermalSourceTest, NoticesAFanThatStopped) {
  OverlayHostFiles files("debian-server");
  ThermalSource source(files);
  RecordingSink sink("thermal");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  EXPECT_EQ(sink.Value(kCpuFan), 0);
  files.Write("/sys/class/hwmon/hwmon1/fan1_input", "0\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_EQ(sink.Value(kCpuFan), 1);
  // Its driver lets it rest.
  files.Write("/sys/class/hwmon/hwmon1/pwm1", "0\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_EQ(sink.Value(kCpuFan), 0);
}

TEST(ThermalSourceTest, ALaptopsFanMayRestUntilItIsHot) {
  OverlayHostFiles files("laptop");
  ThermalSource source(files);
  RecordingSink sink("thermal");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  files.Write("/sys/class/hwmon/hwmon2/fan1_input", "0\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_EQ(sink.Value(kLaptopFan), 0);
  files.Write("/sys/class/hwmon/hwmon3/temp1_input", "91000\n");
  sink.Clear();
  FOREWARN_ASSERT_OK(source.Sample(kSecond, sink));
  EXPECT_EQ(sink.Value(kLaptopFan), 1);
}

TEST(ThermalSourceTest, AddsThermalZonesThatNoChipShows) {
  const OverlayHostFiles files("laptop");
  ThermalSource source(files);
  RecordingSink sink("thermal");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  EXPECT_EQ(sink.Value(Sensor("hw.temperature", "pch_skylake/thermal_zone3",
                              "pch_skylake", "thermal_zone3")),
            49.5);
  EXPECT_DOUBLE_EQ(sink.Value(Sensor("forewarn.thermal.critical.share",
                                     "pch_skylake/thermal_zone3", "pch_skylake",
                                     "thermal_zone3")),
                   49.5 / 115);
  // Five chips' sensors and two zones: neither acpitz nor the package again.
  EXPECT_EQ(sink.Count("hw.temperature"), 7);
  // An absurd limit is none.
  EXPECT_FALSE(sink.Has(Sensor("forewarn.thermal.critical.share",
                               "nvme/nvme0/temp2", "nvme", "Sensor 1")));
}

TEST(ThermalSourceTest, TwoChipsOfOneNameStayApart) {
  OverlayHostFiles files("garbled");
  files.Write("/sys/class/hwmon/hwmon0/name", "drivetemp\n");
  files.Write("/sys/class/hwmon/hwmon1/name", "drivetemp\n");
  files.Write("/sys/class/hwmon/hwmon0/temp1_input", "30000\n");
  ThermalSource source(files);
  RecordingSink sink("thermal");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  EXPECT_EQ(sink.Value(Sensor("hw.temperature", "drivetemp/temp1", "drivetemp",
                              "temp1")),
            30);
  EXPECT_EQ(sink.Value(Sensor("hw.temperature", "drivetemp/temp1#2",
                              "drivetemp", "temp1")),
            45);
}

TEST(ThermalSourceTest, AMachineWithoutSensorsHasNothingToRead) {
  OverlayHostFiles files("debian-server");
  files.Remove("/sys/class/hwmon");
  ThermalSource source(files);
  RecordingSink sink("thermal");
  EXPECT_THAT(source.Sample(kFirst, sink),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST(ThermalSourceTest, AGarbledSensorDoesNotLoseTheRest) {
  const OverlayHostFiles files("garbled");
  ThermalSource source(files);
  RecordingSink sink("thermal");
  FOREWARN_ASSERT_OK(source.Sample(kFirst, sink));
  EXPECT_EQ(
      sink.Value(Sensor("hw.temperature", "k10temp/temp2", "k10temp", "temp2")),
      45);
  EXPECT_EQ(sink.readings.size(), 1u);
}

}  // namespace
}  // namespace forewarn::agent
