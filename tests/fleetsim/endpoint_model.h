#ifndef FOREWARN_TESTS_FLEETSIM_ENDPOINT_MODEL_H_
#define FOREWARN_TESTS_FLEETSIM_ENDPOINT_MODEL_H_

#include <vector>

#include "tests/fleetsim/calendar.h"
#include "tests/fleetsim/draw.h"
#include "tests/fleetsim/machine.h"
#include "tests/fleetsim/mishap.h"
#include "tests/fleetsim/routine.h"
#include "tests/fleetsim/signals.h"
#include "tests/fleetsim/strain.h"

namespace forewarn::fleetsim {

// Where a machine is at one minute.
enum class Power { kOn, kAsleep, kDown };

// One machine, minute by minute: what its life and its mishaps ask of it, what
// that does to it, what it measures of it, and whether somebody notices.
// Notes in the mishaps when that was; hours later somebody has mended it.
class EndpointModel {
 public:
  // Both must outlive it; `mishaps` are those of this machine, by member.
  struct Case {
    Mishap* mishap = nullptr;
    Mishap::Member* member = nullptr;
    // Minutes that the machine was up since it began, and since the program at
    // fault was last started anew.
    double lived = 0;
    double since_restart = 0;
    double hurts_for = 0;  // on end
    bool active = false;
  };
  EndpointModel(const Machine& machine, std::vector<Case> cases);

  // The next minute. `values` are filled in while it is on.
  Power Step(Minute now, Values& values);

  bool cut_off() const { return strain_.cut_off; }
  // It went down or to sleep at this step and had no time to say so.
  bool without_word() const { return without_word_; }

 private:
  void Gather(Minute now);
  void Boot();
  void Cpu(const Demand& demand, Values& values);
  void Memory(const Demand& demand, Values& values);
  void Disk(const Demand& demand, Values& values);
  void Files(Minute now, Values& values);
  void Network(const Demand& demand, Values& values);
  void Heat(const Demand& demand, Minute now, Values& values);
  void Battery(const Demand& demand, Values& values);
  void Clock(Values& values);
  void Services(Values& values);
  void Slow(Minute now, Values& values);
  void Feel(Minute now, const Demand& demand);
  // Minutes of it until somebody takes it for a fault; 0 while it does not
  // hurt.
  double Patience(const Mishap& mishap) const;

  const Machine& machine_;
  std::vector<Case> cases_;
  Routine routine_;
  Draw draw_;
  Strain strain_;

  Power power_ = Power::kDown;
  bool without_word_ = false;
  double uptime_ = 0;  // minutes
  // What a person would feel.
  double slowdown_ = 1;    // of programs, by want of processor
  double io_seconds_ = 0;  // an operation
  double swap_stall_ = 0;  // share of the time
  bool killed_ = false;    // a program, for want of memory
  double outage_ = 0;      // share of the service's time
  double response_ = 1;    // of a program, times what is usual
  double full_ = 0;        // the fuller file system, or its inodes
  bool battery_died_ = false;

  double memory_noise_ = 0;
  double busy_ = 0;
  double threads_ = 0;  // by core
  double load1_ = 0;
  double load15_ = 0;
  double switches_ = 0;
  double swap_used_ = 0.02;
  double swapped_out_ = 0;
  double major_faults_ = 0;
  double oom_kills_ = 0;
  double stall_[2] = {0, 0};  // of memory and disk, over five minutes
  double reads_ = 0;
  double writes_ = 0;
  double changes_ = 1;
  double loss_noise_ = 0;
  double heat_ = 0.4;
  double throttles_ = 0;
  double speed_ = 1;
  double charge_ = 0.9;
  double restarts_[2] = {0, 0};
  double io_errors_ = 0;
  double segfaults_ = 0;
  double unkept_ = 0;  // minutes
};

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_ENDPOINT_MODEL_H_
