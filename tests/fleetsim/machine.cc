#include "tests/fleetsim/machine.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/fleetsim/draw.h"

namespace forewarn::fleetsim {
namespace {

struct Site {
  const char* name;
  int zone_hours;
  double share;  // of the fleet, with those before it
};
constexpr Site kSites[] = {{"oslo", 1, 0.40},
                           {"milano", 1, 0.65},
                           {"stockholm", 1, 0.83},
                           {"gdansk", 1, 0.93},
                           {"tehran", 3, 1.0}};
constexpr uint32_t kPorts = 48;

template <size_t N>
double OneOf(Draw& draw, const double (&choices)[N]) {
  return choices[draw.Below(N)];
}

void MakeServer(Draw& draw, Machine& machine) {
  machine.kind = v1::ENDPOINT_CLASS_SERVER;
  const Work works[] = {Work::kWeb, Work::kDatabase, Work::kFiles,
                        Work::kBatch};
  machine.work = works[draw.Below(4)];
  machine.model = absl::StrCat("rack-", 1 + draw.Below(4));
  machine.cores = static_cast<int>(OneOf(draw, {4, 8, 16, 32}));
  machine.memory_bytes = OneOf(draw, {16e9, 32e9, 64e9, 128e9});
  machine.root_bytes = OneOf(draw, {50e9, 100e9, 200e9});
  machine.data_bytes = draw.LogBetween(200e9, 8e12);
  machine.spinning = draw.Chance(0.4);
  machine.memory_used = draw.Between(0.25, 0.72);
  machine.cpu_busy = draw.Between(0.02, 0.12);
  machine.cpu_work = draw.Between(0.1, 0.45);
  machine.heat_idle = draw.Between(0.35, 0.5);
  machine.has_probe = machine.work != Work::kBatch;
  machine.has_certificate = machine.has_probe;
  machine.stays_on = true;
}

void MakeDesk(Draw& draw, Machine& machine, bool laptop) {
  machine.kind =
      laptop ? v1::ENDPOINT_CLASS_LAPTOP : v1::ENDPOINT_CLASS_WORKSTATION;
  machine.work = Work::kDesk;
  machine.model = absl::StrCat(laptop ? "book-" : "tower-", 1 + draw.Below(6));
  machine.cores = static_cast<int>(OneOf(draw, {4, 8, 12, 16}));
  machine.memory_bytes = OneOf(draw, {8e9, 16e9, 16e9, 32e9});
  machine.root_bytes = OneOf(draw, {256e9, 512e9, 1e12});
  machine.memory_used = draw.Between(0.2, 0.45);
  machine.cpu_busy = draw.Between(0.01, 0.05);
  machine.cpu_work = draw.Between(0.05, 0.3);
  machine.heat_idle = draw.Between(0.42, 0.55);
  machine.battery = laptop;
  machine.battery_health = draw.Between(0.77, 1.0);
  machine.stays_on = !laptop && draw.Chance(0.5);
  machine.roams = laptop ? draw.Between(0, 0.5) : 0;
}

void MakeDevice(Draw& draw, Machine& machine) {
  machine.kind = v1::ENDPOINT_CLASS_DEVICE;
  machine.work = Work::kDevice;
  machine.model = absl::StrCat("box-", 1 + draw.Below(3));
  machine.cores = 2;
  machine.memory_bytes = 2e9;
  machine.swap_bytes = 1e9;
  machine.root_bytes = 16e9;
  machine.memory_used = draw.Between(0.3, 0.6);
  machine.cpu_busy = draw.Between(0.03, 0.15);
  machine.cpu_work = draw.Between(0.05, 0.2);
  machine.stays_on = true;
}

}  // namespace

std::vector<Machine> MakeFleet(uint32_t count, uint64_t seed) {
  std::vector<Machine> fleet(count);
  std::vector<uint32_t> wired(std::size(kSites));
  for (uint32_t i = 0; i < count; ++i) {
    Machine& machine = fleet[i];
    Draw draw(seed * 1'000'003 + i);
    machine.number = i;
    machine.seed = draw.Bits();
    const double place = draw.Share();
    size_t site = 0;
    while (place >= kSites[site].share) ++site;
    machine.site = kSites[site].name;
    machine.zone_hours = kSites[site].zone_hours;
    const double kind = draw.Share();
    if (kind < 0.2) {
      MakeServer(draw, machine);
    } else if (kind < 0.4) {
      MakeDesk(draw, machine, /*laptop=*/false);
    } else if (kind < 0.95) {
      MakeDesk(draw, machine, /*laptop=*/true);
    } else {
      MakeDevice(draw, machine);
    }
    machine.host =
        absl::StrFormat("%s-%s-%04d", machine.site, machine.model, i);
    if (machine.kind != v1::ENDPOINT_CLASS_LAPTOP) {
      machine.wired_to =
          static_cast<uint32_t>(site + 1) * 100 + wired[site]++ / kPorts;
    }
    machine.root_used = draw.Between(0.15, 0.72);
    machine.data_used = draw.Between(0.15, 0.75);
    machine.endurance = draw.Between(0.01, 0.45);
    machine.arrives = draw.Between(7.2, 9.4);
    machine.leaves = machine.arrives + draw.Between(7.5, 9.5);
    machine.backup_at = draw.Between(0.5, 4.0);
  }
  return fleet;
}

}  // namespace forewarn::fleetsim
