#ifndef FOREWARN_TESTS_FLEETSIM_SCORE_H_
#define FOREWARN_TESTS_FLEETSIM_SCORE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "tests/fleetsim/machine.h"
#include "tests/fleetsim/mishap.h"
#include "tests/fleetsim/simulated_collector.h"

namespace forewarn::fleetsim {

// What the desk made of what happened.
//
// A ticket is about a fault when it was opened while the fault went on at its
// endpoint, or up to two hours after, about a subsystem in which that cause
// shows; else it is false. A fault counts when somebody noticed it before the
// end, or when it was ticketed; a common cause is one fault, noticed by the
// first of its people.
struct Score {
  double endpoint_days = 0;
  int faults = 0;
  int ticketed = 0;  // at any time
  int before_notice = 0;
  double median_lead_hours = 0;  // of those before; nobody noticed: not in it
  int false_tickets = 0;
  int on_look_alikes = 0;  // of the false ones
  int look_alikes = 0;
  // Tickets about faults that one machine has, by such faults ticketed.
  double tickets_per_fault = 0;
  int common_causes = 0;
  int common_found = 0;  // by one problem, which has most of their tickets
  // That people see for them: problems, and incidents under none.
  int common_tickets = 0;
  struct ByCause {
    int faults = 0;
    int ticketed = 0;
    int before = 0;
    int tickets = 0;
  };
  std::map<std::string, ByCause> by_cause;
  // For people: one line for a false ticket, a missed fault, a late ticket.
  std::vector<std::string> remarks;
};

Score ScoreOf(absl::Span<const Machine> fleet, absl::Span<const Mishap> mishaps,
              absl::Span<const OpenedTicket> tickets, absl::Time start,
              Minute length);

// One line of JSON.
std::string ToJson(const Score& score);

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_SCORE_H_
