#ifndef FOREWARN_TESTS_FLEETSIM_LIVE_FLEET_H_
#define FOREWARN_TESTS_FLEETSIM_LIVE_FLEET_H_

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "tests/fleetsim/endpoint_model.h"
#include "tests/fleetsim/machine.h"
#include "tests/fleetsim/mishap.h"
#include "tests/fleetsim/simulated_collector.h"

namespace forewarn::fleetsim {

// One model for each machine, with its mishaps. All must outlive them.
std::vector<EndpointModel> MakeModels(absl::Span<const Machine> fleet,
                                      std::vector<Mishap>& mishaps);

// Plays the fleet before a collector of its own over the agents' protocol,
// minute by minute of simulated time, and returns what its desk has. Fills in
// when the mishaps were noticed. `progress` is called each minute.
absl::StatusOr<DeskRecord> PlayFleet(
    absl::Span<const Machine> fleet, std::vector<Mishap>& mishaps,
    absl::Time start, Minute length,
    const std::function<void(Minute)>& progress);

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_LIVE_FLEET_H_
