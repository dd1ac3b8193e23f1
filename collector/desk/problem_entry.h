#ifndef FOREWARN_COLLECTOR_DESK_PROBLEM_ENTRY_H_
#define FOREWARN_COLLECTOR_DESK_PROBLEM_ENTRY_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "collector/correlate/problem.h"
#include "collector/desk/desk_store.h"
#include "collector/desk/outbox.h"

namespace forewarn::desk {

// Writes one step of a problem inside a transaction: its row, its ticket, and
// the tickets of those that join, which from then on are silent. The problem
// as stored.
absl::StatusOr<v1::Problem> EnterProblemChange(
    const correlate::ProblemChange& change, DeskTransaction& rows,
    const std::vector<OutboxChannel>& channels, absl::Time now);

}  // namespace forewarn::desk

#endif  // FOREWARN_COLLECTOR_DESK_PROBLEM_ENTRY_H_
