#include "agent/sources/thermal_source.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/sources/text.h"

namespace forewarn::agent {
namespace {

constexpr absl::string_view kHwmon = "/sys/class/hwmon";
constexpr absl::string_view kThermal = "/sys/class/thermal";
constexpr absl::Duration kDiscoveryInterval = absl::Minutes(10);
constexpr size_t kMaxSensors = 128;  // of a kind; chosen
constexpr size_t kMaxText = 64;
constexpr int kMaxTripPoints = 16;

// What no connected sensor measures (127 is the chips' "open circuit").
constexpr double kLowestCelsius = -55;
constexpr double kHighestCelsius = 126.5;
// A critical value outside this range is a driver's "none".
constexpr double kLowestLimitCelsius = 30;
constexpr double kHighestLimitCelsius = 200;
constexpr double kHotCelsius = 70;  // a resting fan should turn by now; chosen

constexpr absl::string_view kGraphicsChips[] = {"amdgpu", "i915",   "nouveau",
                                                "nvidia", "radeon", "xe"};
// SMBIOS: portable, laptop, notebook, hand held, sub-notebook, tablet,
// convertible, detachable.
constexpr double kLaptopChassis[] = {8, 9, 10, 11, 14, 30, 31, 32};

template <typename Values, typename Value>
bool Holds(const Values& values, const Value& value) {
  return std::find(std::begin(values), std::end(values), value) !=
         std::end(values);
}

bool IsPlausible(double celsius) {
  return celsius > kLowestCelsius && celsius < kHighestCelsius;
}

// "temp3" of "temp3_input".
bool IsSensor(absl::string_view file, absl::string_view kind,
              absl::string_view& sensor) {
  sensor = file;
  if (!absl::ConsumeSuffix(&sensor, "_input")) return false;
  uint64_t number = 0;
  return absl::StartsWith(sensor, kind) &&
         ParseCount(sensor.substr(kind.size()), number);
}

std::optional<double> Limit(const absl::StatusOr<double>& millidegrees) {
  if (!millidegrees.ok()) return std::nullopt;
  const double celsius = *millidegrees / 1000;
  if (celsius < kLowestLimitCelsius || celsius > kHighestLimitCelsius) {
    return std::nullopt;
  }
  return celsius;
}

}  // namespace

absl::Status ThermalSource::Sample(const SampleTime& now, ReadingSink& sink) {
  if (now.since_boot >= discovery_due_) {
    discovery_due_ = now.since_boot + kDiscoveryInterval;
    Discover();
  }
  if (temperatures_.empty() && fans_.empty() && voltages_.empty()) {
    return absl::NotFoundError("no sensors");
  }
  const std::optional<double> hottest_celsius = SampleTemperatures(sink);
  SampleFans(hottest_celsius, sink);
  SampleVoltages(sink);
  return absl::OkStatus();
}

void ThermalSource::Discover() {
  temperatures_.clear();
  fans_.clear();
  voltages_.clear();
  const auto chassis = files_.ReadNumber("/sys/class/dmi/id/chassis_type");
  const bool is_laptop = chassis.ok() && Holds(kLaptopChassis, *chassis);
  const auto chips = files_.List(kHwmon);
  if (chips.ok()) {
    for (const std::string& chip : *chips) {
      DiscoverChip(absl::StrCat(kHwmon, "/", chip), is_laptop);
    }
  }
  DiscoverZones();
  // A fan that is gone is forgotten.
  absl::erase_if(fan_turned_, [this](const auto& entry) {
    return std::none_of(fans_.begin(), fans_.end(),
                        [&](const Fan& fan) { return fan.id == entry.first; });
  });
}

void ThermalSource::DiscoverChip(absl::string_view folder, bool is_laptop) {
  const auto entries = files_.List(folder);
  const auto name = files_.ReadLine(absl::StrCat(folder, "/name"));
  if (!entries.ok() || !name.ok()) return;
  const std::string chip = CleanText(*name, kMaxText);
  std::string prefix = chip;
  if (const auto link = files_.ReadLink(absl::StrCat(folder, "/device"));
      link.ok()) {
    absl::StrAppend(&prefix, "/",
                    CleanText(link->substr(link->rfind('/') + 1), kMaxText));
  }
  const auto has = [&](absl::string_view file) {
    return std::binary_search(entries->begin(), entries->end(), file);
  };
  for (const std::string& file : *entries) {
    absl::string_view sensor;
    const auto path = [&](absl::string_view suffix) {
      return absl::StrCat(folder, "/", sensor, suffix);
    };
    const auto label = [&](absl::string_view otherwise) {
      const auto text = files_.ReadLine(path("_label"));
      return text.ok() && !text->empty() ? CleanText(*text, kMaxText)
                                         : std::string(otherwise);
    };
    if (IsSensor(file, "temp", sensor)) {
      if (temperatures_.size() >= kMaxSensors) continue;
      Temperature temperature{
          .input = path("_input"),
          .alarm = "",
          .id = UniqueId(absl::StrCat(prefix, "/", sensor)),
          .name = chip,
          .location = label(sensor),
          .critical_celsius = Limit(files_.ReadNumber(path("_crit")))};
      // The plain alarm goes by a maximum that many boards leave at zero.
      if (has(absl::StrCat(sensor, "_crit_alarm"))) {
        temperature.alarm = path("_crit_alarm");
      } else if (has(absl::StrCat(sensor, "_alarm")) &&
                 (!has(absl::StrCat(sensor, "_max")) ||
                  Limit(files_.ReadNumber(path("_max"))).has_value())) {
        temperature.alarm = path("_alarm");
      }
      temperatures_.push_back(std::move(temperature));
    } else if (IsSensor(file, "fan", sensor)) {
      if (fans_.size() >= kMaxSensors) continue;
      const std::string pwm = absl::StrCat("pwm", sensor.substr(3));
      fans_.push_back({.input = path("_input"),
                       .pwm = has(pwm) ? absl::StrCat(folder, "/", pwm) : "",
                       .id = UniqueId(absl::StrCat(prefix, "/", sensor)),
                       .name = label(absl::StrCat(chip, " ", sensor)),
                       .may_rest = is_laptop || Holds(kGraphicsChips, chip)});
    } else if (IsSensor(file, "in", sensor)) {
      if (voltages_.size() >= kMaxSensors) continue;
      voltages_.push_back({.input = path("_input"),
                           .id = UniqueId(absl::StrCat(prefix, "/", sensor)),
                           .name = label(absl::StrCat(chip, " ", sensor))});
    }
  }
}

void ThermalSource::DiscoverZones() {
  const auto zones = files_.List(kThermal);
  if (!zones.ok()) return;
  const bool has_hwmon = !temperatures_.empty();
  for (const std::string& zone : *zones) {
    if (!absl::StartsWith(zone, "thermal_zone") ||
        temperatures_.size() >= kMaxSensors) {
      continue;
    }
    const std::string folder = absl::StrCat(kThermal, "/", zone);
    const auto type = files_.ReadLine(absl::StrCat(folder, "/type"));
    const auto entries = files_.List(folder);
    if (!type.ok() || !entries.ok()) continue;
    // The same sensor as coretemp, or shown as a chip of its own.
    const bool is_shown =
        (has_hwmon && *type == "x86_pkg_temp") ||
        std::any_of(entries->begin(), entries->end(), [](const auto& entry) {
          return absl::StartsWith(entry, "hwmon");
        });
    if (is_shown) continue;
    const std::string name = CleanText(*type, kMaxText);
    Temperature temperature{.input = absl::StrCat(folder, "/temp"),
                            .alarm = "",
                            .id = UniqueId(absl::StrCat(name, "/", zone)),
                            .name = name,
                            .location = zone,
                            .critical_celsius = std::nullopt};
    for (int trip = 0; trip < kMaxTripPoints; ++trip) {
      const std::string point = absl::StrCat(folder, "/trip_point_", trip);
      const auto kind = files_.ReadLine(point + "_type");
      if (!kind.ok()) break;
      if (*kind != "critical") continue;
      temperature.critical_celsius = Limit(files_.ReadNumber(point + "_temp"));
    }
    temperatures_.push_back(std::move(temperature));
  }
}

std::string ThermalSource::UniqueId(std::string id) {
  const auto taken = [this](absl::string_view wanted) {
    const auto is_it = [&](const auto& sensor) { return sensor.id == wanted; };
    return std::any_of(temperatures_.begin(), temperatures_.end(), is_it) ||
           std::any_of(fans_.begin(), fans_.end(), is_it) ||
           std::any_of(voltages_.begin(), voltages_.end(), is_it);
  };
  if (!taken(id)) return id;
  int number = 2;
  while (taken(absl::StrCat(id, "#", number))) ++number;
  return absl::StrCat(id, "#", number);
}

std::optional<double> ThermalSource::SampleTemperatures(
    ReadingSink& sink) const {
  std::optional<double> hottest_celsius;
  for (const Temperature& sensor : temperatures_) {
    const auto millidegrees = files_.ReadNumber(sensor.input);
    if (!millidegrees.ok()) continue;  // asleep, or gone until rediscovery
    const double celsius = *millidegrees / 1000;
    if (!IsPlausible(celsius)) continue;
    hottest_celsius = std::max(hottest_celsius.value_or(celsius), celsius);
    const auto accept = [&](absl::string_view metric, double value) {
      sink.Accept(metric,
                  {{"hw.id", sensor.id},
                   {"hw.name", sensor.name},
                   {"hw.sensor_location", sensor.location}},
                  value);
    };
    accept("hw.temperature", celsius);
    if (sensor.critical_celsius.has_value()) {
      accept("forewarn.thermal.critical.share",
             celsius / *sensor.critical_celsius);
    }
    if (sensor.alarm.empty()) continue;
    const auto alarm = files_.ReadNumber(sensor.alarm);
    if (alarm.ok()) accept("forewarn.thermal.alarm", *alarm != 0 ? 1 : 0);
  }
  return hottest_celsius;
}

void ThermalSource::SampleFans(std::optional<double> hottest_celsius,
                               ReadingSink& sink) {
  for (const Fan& fan : fans_) {
    const auto speed = files_.ReadNumber(fan.input);
    if (!speed.ok() || *speed < 0) continue;
    const auto accept = [&](absl::string_view metric, double value) {
      sink.Accept(metric, {{"hw.id", fan.id}, {"hw.name", fan.name}}, value);
    };
    accept("hw.fan.speed", *speed);
    bool& turned = fan_turned_[fan.id];
    bool stopped = turned && *speed == 0;
    turned = turned || *speed > 0;
    // A header without a fan never turned and says nothing.
    if (!turned) continue;
    if (stopped && !fan.pwm.empty()) {
      const auto pwm = files_.ReadNumber(fan.pwm);
      if (pwm.ok() && *pwm == 0) stopped = false;
    }
    if (fan.may_rest && hottest_celsius.value_or(0) < kHotCelsius) {
      stopped = false;
    }
    accept("forewarn.fan.stopped", stopped ? 1 : 0);
  }
}

void ThermalSource::SampleVoltages(ReadingSink& sink) const {
  for (const Voltage& voltage : voltages_) {
    const auto millivolts = files_.ReadNumber(voltage.input);
    if (!millivolts.ok()) continue;
    sink.Accept("hw.voltage",
                {{"hw.id", voltage.id}, {"hw.name", voltage.name}},
                *millivolts / 1000);
  }
}

}  // namespace forewarn::agent
