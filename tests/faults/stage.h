#ifndef FOREWARN_TESTS_FAULTS_STAGE_H_
#define FOREWARN_TESTS_FAULTS_STAGE_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/identity/key_store.h"
#include "tests/e2e/child.h"
#include "tests/faults/fault_disk.h"
#include "tests/faults/fault_proxy.h"
#include "tests/faults/verdict.h"
#include "tests/support/fake_http_server.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::faults {

// The real collector and some numbered agents, a network and disks between
// and under them, and a webhook that often refuses. Faults by a seed; the
// oracle looks at what is left (oracle.h).
class Stage {
 public:
  struct Options {
    uint64_t seed = 1;
    int cycles = 20;
    int agents = 3;
    uint64_t spacing = 40;  // numbers from one case to the next
    uint32_t cases = 60;
    int tick_ms = 50;
    // Batches that each agent has waiting at its start, ten seconds each.
    uint64_t backlog = 0;
    absl::Duration settle_within = absl::Seconds(90);
  };

  Stage(const Options& options, Verdict& verdict);
  ~Stage();

  // Not OK when the stage itself could not be set up.
  absl::Status SetUp();
  // Each cycle kills an agent and the collector once, and does something else
  // besides.
  void Play();
  // Everything delivered, all ended in good order.
  void Close();

  const Options& options() const { return options_; }
  // The number at which a case is reached.
  uint64_t NumberOfCase(uint32_t i) const {
    return std::max<uint64_t>(
        options_.backlog + options_.spacing * (i + uint64_t{1}),
        options_.backlog + 1);
  }
  std::string collector_state() const;
  std::string ledger(int agent) const;
  // Of the endpoint that the agent was enrolled as.
  const std::string& endpoint_id(int agent) const { return ids_[agent]; }
  // Of the one that keeps to no rule.
  const std::string& rogue_id() const { return rogue_.endpoint_id; }
  // What the webhook took: all requests that it answered with 200.
  std::vector<testing::HttpRequest> accepted();

 private:
  absl::StatusOr<agent::Identity> Enroll(int agent);
  void StartCollector(bool may_break);
  void StartAgent(int agent);
  void KillAgent(int agent);
  void KillCollector();
  void Mishap();
  void JumpClock();
  void CutCollectorPower();
  void MendCollectorDisk(const absl::Status& broken);
  void CutAgentPower();
  void FillDisk();
  void BreakDisk();
  void LetRogueIn();
  // False, with a complaint, when the agents' numbers do not get through.
  bool Settle(const std::string& after, absl::Duration within);
  bool Settle(const std::string& after) {
    return Settle(after, options_.settle_within);
  }
  void SetClockOffset(absl::Duration offset);
  void Sleep(int most_ms);
  uint64_t Below(uint64_t most) { return random_() % most; }

  const Options options_;
  Verdict& verdict_;
  std::mt19937_64 random_;
  std::vector<int> deck_;  // mishaps to come
  testing::TemporaryFolder folder_;
  testing::FakeHttpServer webhook_;
  std::vector<bool> webhook_accepts_;
  std::unique_ptr<FaultDisk> collector_disk_;
  std::unique_ptr<FaultDisk> agent_disk_;
  int https_port_ = 0;
  int agents_port_ = 0;
  std::unique_ptr<FaultProxy> proxy_;
  std::unique_ptr<e2e::Child> collector_;
  bool collector_may_break_ = false;
  std::vector<std::unique_ptr<e2e::Child>> agents_;
  std::vector<std::string> ids_;
  agent::Identity rogue_;
};

}  // namespace forewarn::faults

#endif  // FOREWARN_TESTS_FAULTS_STAGE_H_
