#ifndef FOREWARN_AGENT_SOURCES_BATTERY_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_BATTERY_SOURCE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// The machine's own batteries, a UPS included, and mains power, from
// /sys/class/power_supply. Batteries of mice and headsets are left out.
class BatterySource final : public Source {
 public:
  // `files` must outlive it.
  explicit BatterySource(const HostFiles& files) : files_(files) {}

  absl::string_view name() const override { return "battery"; }
  absl::Duration interval() const override { return absl::Seconds(30); }
  // Firmware answers, in its own time.
  bool may_block() const override { return true; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  void SampleBattery(const std::string& folder, absl::string_view id,
                     ReadingSink& sink) const;

  const HostFiles& files_;
};

// Whether the machine lives on its battery right now. Firmware answers, in its
// own time.
bool OnBattery(const HostFiles& files);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_BATTERY_SOURCE_H_
