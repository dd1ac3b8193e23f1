#include "agent/sources/battery_source.h"

#include <algorithm>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr absl::string_view kFolder = "/sys/class/power_supply";
constexpr size_t kMaxSupplies = 64;
constexpr size_t kMaxName = 64;
constexpr double kSecondsPerHour = 3600;

// Drivers tell either energy (in µWh, drawn in µW) or charge (in µAh, drawn
// in µA); ratios of one kind come out the same.
struct Charge {
  std::optional<double> now;
  std::optional<double> full;
  std::optional<double> design;
  std::optional<double> rate;
};

struct Supplies {
  bool has_battery = false;
  bool has_mains = false;
  bool has_usb = false;
  bool is_powered = false;

  // The USB ports of a desktop say nothing of its mains.
  bool knows_mains() const { return has_mains || (has_usb && has_battery); }
};

using AcceptBattery =
    absl::FunctionRef<void(const std::string& folder, const std::string& name)>;

absl::StatusOr<Supplies> Scan(const HostFiles& files, AcceptBattery accept) {
  const auto names = files.List(kFolder);
  if (!names.ok()) return names.status();
  Supplies supplies;
  size_t looked_at = 0;
  for (const std::string& name : *names) {
    if (++looked_at > kMaxSupplies) break;
    const std::string folder = absl::StrCat(kFolder, "/", name);
    const auto type = files.ReadLine(absl::StrCat(folder, "/type"));
    if (!type.ok()) continue;
    const auto scope = files.ReadLine(absl::StrCat(folder, "/scope"));
    if (scope.ok() && *scope == "Device") continue;
    if (*type == "Battery" || *type == "UPS") {
      const auto present = files.ReadNumber(absl::StrCat(folder, "/present"));
      if (present.ok() && *present == 0) continue;
      supplies.has_battery = true;
      accept(folder, name);
      continue;
    }
    const auto online = files.ReadNumber(absl::StrCat(folder, "/online"));
    if (!online.ok()) continue;
    if (*type == "Mains") {
      supplies.has_mains = true;
    } else if (*type == "USB") {
      supplies.has_usb = true;
    } else {
      continue;
    }
    supplies.is_powered = supplies.is_powered || *online != 0;
  }
  return supplies;
}

}  // namespace

bool OnBattery(const HostFiles& files) {
  const auto supplies =
      Scan(files, [](const std::string&, const std::string&) {});
  return supplies.ok() && supplies->has_battery && supplies->knows_mains() &&
         !supplies->is_powered;
}

absl::Status BatterySource::Sample(const SampleTime&, ReadingSink& sink) {
  FOREWARN_ASSIGN_OR_RETURN(
      const Supplies supplies,
      Scan(files_, [&](const std::string& folder, const std::string& name) {
        SampleBattery(folder, CleanText(name, kMaxName), sink);
      }));
  if (supplies.knows_mains()) {
    sink.Accept("forewarn.power.mains", supplies.is_powered ? 1 : 0);
  }
  if (!supplies.has_battery && !supplies.has_mains) {
    return absl::NotFoundError("no battery and no mains sensor");
  }
  return absl::OkStatus();
}

void BatterySource::SampleBattery(const std::string& folder,
                                  absl::string_view id,
                                  ReadingSink& sink) const {
  const auto read = [&](absl::string_view file) -> std::optional<double> {
    const auto value = files_.ReadNumber(absl::StrCat(folder, "/", file));
    if (!value.ok() || !(*value >= 0)) return std::nullopt;
    return *value;
  };
  const auto accept = [&](absl::string_view metric, double value) {
    sink.Accept(metric, {{"hw.id", id}}, value);
  };
  Charge charge{.now = read("energy_now"),
                .full = read("energy_full"),
                .design = read("energy_full_design"),
                .rate = read("power_now")};
  if (!charge.full.has_value()) {
    charge = {.now = read("charge_now"),
              .full = read("charge_full"),
              .design = read("charge_full_design"),
              .rate = read("current_now")};
  }
  if (const auto percent = read("capacity")) {
    accept("hw.battery.charge", std::min(1.0, *percent / 100));
  } else if (charge.now.has_value() && charge.full.value_or(0) > 0) {
    accept("hw.battery.charge", std::min(1.0, *charge.now / *charge.full));
  }
  if (charge.full.has_value() && charge.design.value_or(0) > 0) {
    accept("forewarn.battery.health", *charge.full / *charge.design);
  }
  // Firmware that does not count says 0.
  if (const auto cycles = read("cycle_count"); cycles.value_or(0) > 0) {
    accept("forewarn.battery.cycles", *cycles);
  }
  const auto status = files_.ReadLine(absl::StrCat(folder, "/status"));
  if (!status.ok()) return;
  const bool discharging = *status == "Discharging";
  accept("forewarn.battery.discharging", discharging ? 1 : 0);
  if (!discharging) return;
  auto seconds = read("time_to_empty_avg");
  if (!seconds.has_value()) seconds = read("time_to_empty_now");
  if (!seconds.has_value() && charge.now.has_value() &&
      charge.rate.value_or(0) > 0) {
    seconds = *charge.now / *charge.rate * kSecondsPerHour;
  }
  if (seconds.has_value()) accept("hw.battery.time_left", *seconds);
}

}  // namespace forewarn::agent
