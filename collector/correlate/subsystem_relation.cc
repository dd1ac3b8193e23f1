#include "collector/correlate/subsystem_relation.h"

namespace forewarn::correlate {
namespace {

struct Cause {
  absl::string_view one;
  absl::string_view other;
};

// Chosen. Read either way; not transitive.
constexpr Cause kCauses[] = {
    {"memory", "process"},   // a leak, and who leaks
    {"memory", "system"},    // paging and pressure
    {"cpu", "process"},      // load, and who makes it
    {"cpu", "thermal"},      // heat throttles, work heats
    {"cpu", "system"},       // load average, pressure
    {"process", "thermal"},  //
    {"process", "system"},   // descriptors, pids
    {"process", "service"},  // a unit is its processes
    {"disk", "filesystem"},  // a failing drive turns read-only
    {"network", "probe"},    // gateway, resolver, round trips
    {"network", "clock"},    // time servers out of reach
    {"probe", "clock"},      //
    {"probe", "cpu"},        // a machine without breath answers and asks late
    {"probe", "memory"},     //
    {"probe", "service"},    // what does not answer
    {"power", "thermal"},    // fans and supplies
};

constexpr absl::string_view kAlone[] = {"agent", "certificate", "filesystem"};

}  // namespace

bool Related(absl::string_view a, absl::string_view b) {
  if (a == b) return true;
  for (const Cause& cause : kCauses) {
    if ((cause.one == a && cause.other == b) ||
        (cause.one == b && cause.other == a)) {
      return true;
    }
  }
  return false;
}

bool FoldsByTime(absl::string_view subsystem) {
  for (const absl::string_view alone : kAlone) {
    if (subsystem == alone) return false;
  }
  return true;
}

}  // namespace forewarn::correlate
