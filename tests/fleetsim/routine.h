#ifndef FOREWARN_TESTS_FLEETSIM_ROUTINE_H_
#define FOREWARN_TESTS_FLEETSIM_ROUTINE_H_

#include "tests/fleetsim/calendar.h"
#include "tests/fleetsim/draw.h"
#include "tests/fleetsim/machine.h"

namespace forewarn::fleetsim {

// What a machine is asked to do at one moment, by people and by its schedule.
struct Demand {
  bool on = true;
  bool in_use = true;  // somebody would feel trouble now
  double load = 0;     // 0 to 1
  double burst = 0;    // cores, for some minutes
  double job_cores = 0;
  double job_io = 0;   // share of the disk's time
  double job_net = 0;  // share of the line
  bool away = false;   // from its site, on a line of its own
  bool on_mains = true;
  bool planned_down = false;
};

// The daily and weekly life of one machine: office hours, lunch, days off,
// sleep, meetings on battery, nightly backups, scans, patch day.
class Routine {
 public:
  explicit Routine(const Machine& machine)
      : machine_(machine), draw_(machine.seed ^ 0x5157) {}

  // To be asked minute by minute.
  Demand Next(Minute now);

 private:
  void BeginDay(const LocalTime& local);
  void Desk(const LocalTime& local, Demand& demand);
  void Server(const LocalTime& local, Demand& demand);

  const Machine& machine_;
  Draw draw_;
  int64_t day_ = -1000;
  // Of this day.
  bool works_ = false;
  bool away_ = false;
  double begins_ = 8;
  double ends_ = 17;
  double evening_ = 0;  // hours at it, from 20 on
  double meeting_at_ = 0;
  double meeting_hours_ = 0;
  double backup_hours_ = 0.5;
  double factor_ = 1;
  // From minute to minute.
  double noise_ = 0;
  double burst_left_ = 0;
  double burst_cores_ = 0;
};

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_ROUTINE_H_
