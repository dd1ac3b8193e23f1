#ifndef FOREWARN_COLLECTOR_BACKTEST_HISTORY_RUN_H_
#define FOREWARN_COLLECTOR_BACKTEST_HISTORY_RUN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "collector/correlate/memory_incidents.h"
#include "collector/detect/endpoint_profile.h"
#include "collector/detect/rule_set.h"
#include "collector/history/history_store.h"

namespace forewarn::backtest {

// A ticket that rules would have opened.
using PastTicket = correlate::MemoryIncidents::Record;

struct HistoryRun {
  std::vector<PastTicket> tickets;  // in the order in which they opened
  uint64_t samples = 0;
};

// What the rules of `rules`, and they alone, would have opened on one endpoint
// out of what the history has of it in [from, to). Only series that the rules
// name are read. The history's errors; kInvalidArgument when correlation
// refuses a symptom.
absl::StatusOr<HistoryRun> RunHistory(history::HistoryStore& history,
                                      uint32_t endpoint,
                                      const detect::EndpointProfile& profile,
                                      const detect::RuleSet& rules,
                                      absl::Time from, absl::Time to);

}  // namespace forewarn::backtest

#endif  // FOREWARN_COLLECTOR_BACKTEST_HISTORY_RUN_H_
