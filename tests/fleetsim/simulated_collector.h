#ifndef FOREWARN_TESTS_FLEETSIM_SIMULATED_COLLECTOR_H_
#define FOREWARN_TESTS_FLEETSIM_SIMULATED_COLLECTOR_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "agent/identity/key_store.h"
#include "collector/main/collector.h"
#include "collector/main/settings.h"
#include "forewarn/v1/desk.pb.h"
#include "forewarn/v1/telemetry.pb.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::fleetsim {

// A ticket with the symptoms that it holds.
struct OpenedTicket {
  v1::Ticket ticket;
  std::vector<v1::Symptom> symptoms;
};

// What a desk has in the end.
struct DeskRecord {
  std::vector<OpenedTicket> tickets;  // oldest first
  std::vector<v1::Symptom> symptoms;  // every spell, in no order
};

// The whole collector as it is shipped, with its defaults, in this process: so
// that its clock can be ours. Only the tick is told otherwise.
class SimulatedCollector {
 public:
  explicit SimulatedCollector(absl::Time start);

  // Enrols the endpoints, then starts. In the order of `facts`.
  absl::StatusOr<std::vector<agent::Identity>> Start(
      absl::Span<const v1::EndpointFacts> facts, absl::Duration tick);
  std::string agents_address() const;
  testing::FakeClock& clock() { return clock_; }

  // Ends it and reads what its desk has.
  absl::StatusOr<DeskRecord> Finish();

 private:
  absl::StatusOr<std::vector<agent::Identity>> Enroll(
      absl::Span<const v1::EndpointFacts> facts);

  testing::TemporaryFolder folder_;
  testing::FakeClock clock_;
  main::Settings settings_;
  std::unique_ptr<main::Collector> collector_;
};

// By number.
std::string EndpointId(uint32_t number);

}  // namespace forewarn::fleetsim

#endif  // FOREWARN_TESTS_FLEETSIM_SIMULATED_COLLECTOR_H_
