#ifndef FOREWARN_TESTS_FLEETSIM_STRAIN_H_
#define FOREWARN_TESTS_FLEETSIM_STRAIN_H_

#include "tests/fleetsim/machine.h"
#include "tests/fleetsim/mishap.h"

namespace forewarn::fleetsim {

// What a mishap does to its machine at one moment. Strains of several mishaps
// add up.
struct Strain {
  double threads = 0;  // that want to run
  double memory = 0;   // share of all
  double root = 0;     // share of the file system
  double data = 0;
  double root_inodes = 0;
  double root_steady = 0;  // it stands at this share instead, if not 0
  double data_growth = 1;  // the file system was made larger so many times
  double io = 0;           // share of the disk's time
  double slower_disk = 1;  // times the latency
  double io_errors = 0;    // a minute
  double pending = 0;      // sectors
  bool drive_gives_up = false;
  double cooling = 1;    // of what it should be
  double warmer = 0;     // share of the critical temperature
  double loss = 0;       // of packets
  double flaps = 0;      // of the link, a minute
  bool cut_off = false;  // no network at all
  double resolver_seconds = 0;
  double resolver_fails = 0;    // share of look-ups
  double certificate_days = 0;  // left, if not 0
  double clock = 0;             // seconds off
  bool clock_unkept = false;    // the time service does not even measure
  double battery_lost = 0;      // share of its health
  double crashes = 0;           // of the service, a minute
  bool restart = false;         // the machine goes down
};

// `age`: minutes since it began there, not negative. `since_restart`: minutes
// since the program at fault was last restarted, for what a restart heals.
void AddStrain(const Mishap& mishap, const Machine& machine, double age,
               double since_restart, Strain& strain);

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_STRAIN_H_
