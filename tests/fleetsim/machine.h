#ifndef FOREWARN_TESTS_FLEETSIM_MACHINE_H_
#define FOREWARN_TESTS_FLEETSIM_MACHINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::fleetsim {

// What a machine is for; decides when it is busy.
enum class Work { kWeb, kDatabase, kFiles, kBatch, kDesk, kDevice };

// All that does not change about one made endpoint.
struct Machine {
  uint32_t number = 0;
  uint64_t seed = 0;
  v1::EndpointClass kind = v1::ENDPOINT_CLASS_SERVER;
  Work work = Work::kDesk;
  std::string host;
  std::string site;
  int zone_hours = 0;
  uint32_t wired_to = 0;  // the switch; 0 for none
  std::string model;
  int cores = 4;
  double memory_bytes = 16e9;
  double swap_bytes = 4e9;
  double root_bytes = 200e9;
  double data_bytes = 0;  // 0: no such file system
  bool spinning = false;
  bool battery = false;
  bool has_probe = false;
  bool has_certificate = false;
  // Shares at rest.
  double root_used = 0.4;
  double data_used = 0.4;
  double memory_used = 0.3;
  double cpu_busy = 0.03;
  double cpu_work = 0.3;  // more when all is busy
  double heat_idle = 0.45;
  double battery_health = 0.9;
  double endurance = 0.1;
  // Of the person in front of it; hours of a day.
  double arrives = 8.2;
  double leaves = 16.8;
  bool stays_on = false;   // at night
  double roams = 0;        // share of days away from the site
  double backup_at = 2.0;  // hour
  bool person() const {
    return kind == v1::ENDPOINT_CLASS_LAPTOP ||
           kind == v1::ENDPOINT_CLASS_WORKSTATION;
  }
};

// Mixed classes over five sites; a switch has up to 48 wired machines.
// The same for the same arguments.
std::vector<Machine> MakeFleet(uint32_t count, uint64_t seed);

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_MACHINE_H_
