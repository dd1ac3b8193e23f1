#ifndef FOREWARN_COLLECTOR_HISTORY_TICK_ORDER_H_
#define FOREWARN_COLLECTOR_HISTORY_TICK_ORDER_H_

#include <vector>

#include "absl/time/time.h"
#include "collector/history/history_store.h"
#include "protos/wire/batch.h"

namespace forewarn::history {

// Blocks may overlap where a backlog came late: what is read from several is
// put in order here.

// In order of time; ticks of one moment become one, of which a series' first
// sample counts.
void Arrange(std::vector<wire::Tick>& ticks);

// In order of time, the first of each moment, within [from, to).
void Trim(absl::Time from, absl::Time to, std::vector<Sample>& samples);

}  // namespace forewarn::history

#endif  // FOREWARN_COLLECTOR_HISTORY_TICK_ORDER_H_
