#include "tests/fleetsim/calendar.h"

#include <algorithm>
#include <cmath>

namespace forewarn::fleetsim {
namespace {

// Rises from 0 to 1 between `begin` and `end`.
double Ramp(double at, double begin, double end) {
  return std::clamp((at - begin) / (end - begin), 0.0, 1.0);
}

}  // namespace

LocalTime AtSite(Minute time, int zone_hours) {
  // A week earlier, so that no zone is before the beginning.
  const Minute local = time + zone_hours * kHour + 7 * kDay;
  LocalTime out;
  out.day = local / kDay - 7;
  out.weekday = static_cast<int>((local / kDay) % 7);
  out.hour = static_cast<double>(local % kDay) / kHour;
  out.weekend = out.weekday >= 5;
  return out;
}

double OfficeLoad(const LocalTime& time) {
  const double morning = Ramp(time.hour, 7.0, 9.5);
  const double evening = 1 - Ramp(time.hour, 15.5, 19.0);
  const double lunch =
      1 - 0.35 * std::max(0.0, 1 - std::abs(time.hour - 12.25) / 0.75);
  return morning * evening * lunch * (time.weekend ? 0.1 : 1.0);
}

double PublicLoad(const LocalTime& time) {
  const double wave = 0.5 - 0.5 * std::cos((time.hour - 5.0) / 24.0 * 2 * M_PI);
  return 0.2 + 0.8 * wave * (time.weekend ? 0.8 : 1.0);
}

bool PatchDay(const LocalTime& time) { return time.day == 8; }

}  // namespace forewarn::fleetsim
