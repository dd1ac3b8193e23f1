#include "agent/sources/battery_source.h"

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
constexpr char kBattery[] = "/sys/class/power_supply/BAT0/";

TEST(BatterySourceTest, ReadsABatteryInUse) {
  const OverlayHostFiles files("laptop");
  BatterySource source(files);
  RecordingSink sink("battery");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_DOUBLE_EQ(sink.Value("hw.battery.charge{hw.id=BAT0}"), 0.62);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.battery.health{hw.id=BAT0}"), 42. / 57);
  EXPECT_EQ(sink.Value("forewarn.battery.cycles{hw.id=BAT0}"), 318);
  EXPECT_EQ(sink.Value("forewarn.battery.discharging{hw.id=BAT0}"), 1);
  EXPECT_DOUBLE_EQ(sink.Value("hw.battery.time_left{hw.id=BAT0}"), 9600);
  EXPECT_EQ(sink.Value("forewarn.power.mains"), 0);
  EXPECT_TRUE(OnBattery(files));
  // The mouse's battery is not the machine's.
  EXPECT_EQ(sink.readings.size(), 6u);
}

TEST(BatterySourceTest, ReadsABatteryOnMains) {
  OverlayHostFiles files("laptop");
  files.Write(std::string(kBattery) + "status", "Charging\n");
  files.Write("/sys/class/power_supply/AC/online", "1\n");
  files.Write(std::string(kBattery) + "cycle_count", "0\n");
  BatterySource source(files);
  RecordingSink sink("battery");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value("forewarn.battery.discharging{hw.id=BAT0}"), 0);
  EXPECT_EQ(sink.Value("forewarn.power.mains"), 1);
  EXPECT_FALSE(OnBattery(files));
  EXPECT_FALSE(sink.Has("hw.battery.time_left{hw.id=BAT0}"));
  EXPECT_FALSE(sink.Has("forewarn.battery.cycles{hw.id=BAT0}"));
}

TEST(BatterySourceTest, ReadsChargeWhereThereIsNoEnergy) {
  OverlayHostFiles files("laptop");
  const std::string battery = kBattery;
  for (const char* file :
       {"capacity", "energy_now", "energy_full", "energy_full_design"}) {
    files.Remove(battery + file);
  }
  files.Write(battery + "charge_now", "2000000\n");
  files.Write(battery + "charge_full", "4000000\n");
  files.Write(battery + "charge_full_design", "5000000\n");
  files.Write(battery + "current_now", "1000000\n");
  BatterySource source(files);
  RecordingSink sink("battery");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_DOUBLE_EQ(sink.Value("hw.battery.charge{hw.id=BAT0}"), 0.5);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.battery.health{hw.id=BAT0}"), 0.8);
  EXPECT_DOUBLE_EQ(sink.Value("hw.battery.time_left{hw.id=BAT0}"), 7200);
}

TEST(BatterySourceTest, AnEmptyBayIsNoBattery) {
  OverlayHostFiles files("laptop");
  files.Write(std::string(kBattery) + "present", "0\n");
  BatterySource source(files);
  RecordingSink sink("battery");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.readings.size(), 1u);
  EXPECT_TRUE(sink.Has("forewarn.power.mains"));
}

TEST(BatterySourceTest, ADesktopsUsbPortsSayNothingOfItsMains) {
  OverlayHostFiles files("laptop");
  files.Remove("/sys/class/power_supply/AC");
  files.Remove("/sys/class/power_supply/BAT0");
  BatterySource source(files);
  RecordingSink sink("battery");
  EXPECT_THAT(source.Sample(kNow, sink), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(sink.readings.empty());
}

TEST(BatterySourceTest, AMachineWithoutSuppliesHasNothingToRead) {
  const OverlayHostFiles files("debian-server");
  BatterySource source(files);
  RecordingSink sink("battery");
  EXPECT_THAT(source.Sample(kNow, sink), StatusIs(absl::StatusCode::kNotFound));
}

TEST(BatterySourceTest, GarbledFilesDoNotLoseTheRest) {
  const OverlayHostFiles files("garbled");
  BatterySource source(files);
  RecordingSink sink("battery");
  FOREWARN_ASSERT_OK(source.Sample(kNow, sink));
  EXPECT_EQ(sink.Value("forewarn.battery.discharging{hw.id=BAT0}"), 0);
  EXPECT_EQ(sink.readings.size(), 1u);
}

}  // namespace
}  // namespace forewarn::agent
