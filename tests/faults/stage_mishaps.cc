// What goes wrong on the stage besides the kills.

#include <poll.h>
#include <signal.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "protos/base/deadline.h"
#include "protos/base/status.h"
#include "tests/faults/ledger.h"
#include "tests/faults/rogue.h"
#include "tests/faults/stage.h"

namespace forewarn::faults {

void Stage::Mishap() {
  const auto network = [this](const char* name, FaultProxy::Mode mode) {
    ++verdict_.faults[name];
    proxy_->Set(mode);
    Sleep(700);
    // The connection does not heal: both ends must notice.
    proxy_->CutAfter(0);
    proxy_->Set(FaultProxy::Mode::kPass);
  };
  // Each kind once before any comes again.
  if (deck_.empty()) {
    deck_ = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    std::shuffle(deck_.begin(), deck_.end(), random_);
  }
  const int kind = deck_.back();
  deck_.pop_back();
  switch (kind) {
    case 0:
      network("half_open", FaultProxy::Mode::kStall);
      break;
    case 1:
      network("lost_acks", FaultProxy::Mode::kSwallowAnswers);
      break;
    case 2:
      ++verdict_.faults["cut_after_bytes"];
      proxy_->CutAfter(static_cast<int64_t>(Below(20000)));
      break;
    case 3:
      ++verdict_.faults["stopped"];
      collector_->Signal(SIGSTOP);
      Sleep(700);
      collector_->Signal(SIGCONT);
      break;
    case 4:
      JumpClock();
      break;
    case 5:
      CutCollectorPower();
      break;
    case 6:
      CutAgentPower();
      break;
    case 7:
      FillDisk();
      break;
    case 8:
      BreakDisk();
      break;
    default:
      LetRogueIn();
      break;
  }
}

// Time-outs go by a clock that nobody sets: no stream may end.
void Stage::JumpClock() {
  KillCollector();
  StartCollector(false);
  if (!Settle("a clean start")) return;
  const auto streams = [this] {
    uint64_t all = 0;
    for (int i = 0; i < options_.agents; ++i) {
      all += ReadLedger(ledger(i)).streams;
    }
    return all;
  };
  for (int i = 0; i < options_.agents; ++i) {
    // By now it may have died at the call that was chosen for it.
    KillAgent(i);
    agents_[i].reset();
  }
  for (int i = 0; i < options_.agents; ++i) {
    const uint64_t chosen = random_();
    random_.seed(chosen | 1);
    StartAgent(i);
  }
  if (!Settle("a fresh start of all agents")) return;
  const uint64_t before = streams();
  ++verdict_.faults["clock_jump"];
  SetClockOffset(absl::Minutes(Below(2) == 0 ? 10 : 90));
  poll(nullptr, 0, 2500);
  SetClockOffset(absl::ZeroDuration());
  poll(nullptr, 0, 300);
  bool all_alive = true;
  for (const auto& agent : agents_) all_alive &= agent->running();
  if (all_alive && streams() != before) {
    verdict_.Complain("a jump of the collector's clock ended ",
                      streams() - before, " streams");
  }
}

void Stage::CutCollectorPower() {
  if (collector_disk_ == nullptr) return;
  ++verdict_.faults["power_cut_collector"];
  MendCollectorDisk(collector_disk_->CutPower());
}

// After what was done to it, `broken`: OK when it could be done.
void Stage::MendCollectorDisk(const absl::Status& broken) {
  collector_->Signal(SIGKILL);
  collector_->Wait();
  const absl::Status back = collector_disk_->Remount();
  if (!broken.ok() || !back.ok()) {
    verdict_.Complain("disk: ", base::ToLine(broken), " ", base::ToLine(back));
  }
  StartCollector(false);
}

void Stage::CutAgentPower() {
  if (agent_disk_ == nullptr) return;
  ++verdict_.faults["power_cut_agents"];
  const absl::Status cut = agent_disk_->CutPower();
  for (int i = 0; i < options_.agents; ++i) KillAgent(i);
  const absl::Status back = agent_disk_->Remount();
  if (!cut.ok() || !back.ok()) {
    verdict_.Complain("power: ", base::ToLine(cut), " ", base::ToLine(back));
  }
  for (int i = 0; i < options_.agents; ++i) StartAgent(i);
}

void Stage::FillDisk() {
  if (collector_disk_ == nullptr) return;
  ++verdict_.faults["full_disk"];
  collector_may_break_ = true;  // if it is still starting
  collector_disk_->Fill();
  Sleep(1500);
  collector_disk_->Free();
}

// ext4 finds an error and takes no more writes, under whatever is open. The
// collector must stay and say no; somebody mends the disk.
void Stage::BreakDisk() {
  if (collector_disk_ == nullptr) return;
  KillCollector();
  StartCollector(false);
  if (!Settle("a clean start")) return;
  ++verdict_.faults["read_only"];
  const absl::Status broken = collector_disk_->TurnReadOnly();
  Sleep(2000);
  if (!collector_->running()) {
    verdict_.Complain("the collector ended as its disk became read-only");
  }
  MendCollectorDisk(broken);
}

// An endpoint that keeps to no rule and strangers that only make noise, as
// fast as they can: the neighbours' numbers get through all the same.
void Stage::LetRogueIn() {
  constexpr absl::Duration kFlood = absl::Seconds(3);
  constexpr absl::Duration kNeighbours = absl::Seconds(40);
  if (!collector_->running()) return;
  ++verdict_.faults["rogue"];
  Rogue rogue(agents_port_, rogue_, random_());
  const base::Deadline flood(kFlood);
  if (!Settle("a rogue came", kNeighbours)) return;
  poll(nullptr, 0, static_cast<int>(absl::ToInt64Milliseconds(flood.Left())));
  rogue.Stop();
  verdict_.faults["rogue_connections"] += rogue.connections();
  verdict_.faults["rogue_batches"] += rogue.batches();
}

}  // namespace forewarn::faults
