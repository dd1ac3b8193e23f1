#ifndef FOREWARN_TESTS_FLEETSIM_CALENDAR_H_
#define FOREWARN_TESTS_FLEETSIM_CALENDAR_H_

#include <cstdint>

namespace forewarn::fleetsim {

// Minutes since the simulation began, which is a Monday at midnight, UTC.
using Minute = int64_t;
inline constexpr Minute kHour = 60;
inline constexpr Minute kDay = 24 * kHour;

// What a clock on the wall shows at a site.
struct LocalTime {
  int64_t day = 0;  // since the Monday
  int weekday = 0;  // Monday is 0
  double hour = 0;  // 0 to 24
  bool weekend = false;
};
LocalTime AtSite(Minute time, int zone_hours);

// How much of a site's people's work goes on: 0 at night, 1 in mid-morning
// and mid-afternoon, less at lunch, a tenth at the weekend.
double OfficeLoad(const LocalTime& time);

// How much the public asks of a web service: a wave that peaks in the evening
// and never falls below a fifth.
double PublicLoad(const LocalTime& time);

// The second Tuesday, on which servers take their patches at night and desks
// theirs at noon.
bool PatchDay(const LocalTime& time);

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_CALENDAR_H_
