#ifndef FOREWARN_AGENT_SOURCES_THERMAL_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_THERMAL_SOURCE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// Temperatures, fans and voltages from /sys/class/hwmon, and the thermal
// zones that hwmon does not show.
//
// hw.id is chip/device/sensor, "coretemp/coretemp.0/temp1": the kernel's own
// numbers change from boot to boot. Sensors that are not connected, which
// report 127 degrees or far below freezing, are left out.
//
// A fan that stands still is not "stopped" while its driver tells it to rest
// (pwm 0), nor on a laptop or graphics card while nothing there is hot.
class ThermalSource final : public Source {
 public:
  // `files` must outlive it.
  explicit ThermalSource(const HostFiles& files) : files_(files) {}

  absl::string_view name() const override { return "thermal"; }
  absl::Duration interval() const override { return absl::Seconds(30); }
  // Sensors sit behind slow buses, or are a drive's own.
  bool may_block() const override { return true; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  struct Temperature {
    std::string input;  // path
    std::string alarm;  // path, or empty
    std::string id;
    std::string name;
    std::string location;
    std::optional<double> critical_celsius;
  };
  struct Fan {
    std::string input;
    std::string pwm;  // path, or empty
    std::string id;
    std::string name;
    bool may_rest = false;  // stands still when all is cool
  };
  struct Voltage {
    std::string input;
    std::string id;
    std::string name;
  };

  void Discover();
  void DiscoverChip(absl::string_view folder, bool is_laptop);
  void DiscoverZones();
  std::string UniqueId(std::string id);
  // The hottest of them; nullopt when none could be read.
  std::optional<double> SampleTemperatures(ReadingSink& sink) const;
  void SampleFans(std::optional<double> hottest_celsius, ReadingSink& sink);
  void SampleVoltages(ReadingSink& sink) const;

  const HostFiles& files_;
  absl::Duration discovery_due_;
  std::vector<Temperature> temperatures_;
  std::vector<Fan> fans_;
  std::vector<Voltage> voltages_;
  absl::btree_map<std::string, bool> fan_turned_;  // by id, in this run
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_THERMAL_SOURCE_H_
