#include "tests/faults/stage.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/identity/key_store.h"
#include "protos/base/deadline.h"
#include "protos/base/files.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"
#include "tests/faults/ledger.h"
#include "tests/support/free_port.h"

namespace forewarn::faults {
namespace {

constexpr int kCyclesASettling = 10;
constexpr size_t kWebhookAnswers = 20000;

std::string Program(const std::string& name) {
  return absl::StrCat(FOREWARN_BIN_DIR, "/", name);
}

std::string TailOf(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  return all.substr(all.size() > 3000 ? all.size() - 3000 : 0);
}

// A number stands for each; hold 0, and it never clears.
constexpr char kRules[] = R"(rules:
  - id: numbered_case
    subsystem: filesystem
    title: "A case of {host}"
    explanation: "A case of the fault rig."
    causes: [The rig]
    article: rig
    steps: [None]
    signal: {metric: hw.voltage}
    levels:
      - {priority: P3, above: 1000, clear: 900, hold: 0s}
)";

}  // namespace

Stage::Stage(const Options& options, Verdict& verdict)
    : options_(options), verdict_(verdict), random_(options.seed) {
  std::mt19937_64 answers(options.seed + 1);
  for (size_t i = 0; i < kWebhookAnswers; ++i) {
    const bool accepts = answers() % 4 != 0;
    webhook_accepts_.push_back(accepts);
    testing::HttpReply reply;
    reply.status = accepts ? 200 : 503;
    webhook_.Answer(reply);
  }
}

Stage::~Stage() {
  agents_.clear();
  collector_.reset();
}

std::string Stage::collector_state() const {
  return (collector_disk_ ? collector_disk_->path() : folder_ / "collector") +
         "/state";
}

std::string Stage::ledger(int agent) const {
  return absl::StrCat(folder_.path(), "/ledger-", agent);
}

std::vector<testing::HttpRequest> Stage::accepted() {
  std::vector<testing::HttpRequest> all = webhook_.requests();
  std::vector<testing::HttpRequest> taken;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i >= webhook_accepts_.size() || webhook_accepts_[i]) {
      taken.push_back(std::move(all[i]));
    }
  }
  return taken;
}

absl::Status Stage::SetUp() {
  // A backlog wants room; the image is sparse.
  const int scale = options_.backlog > 0 ? 40 : 1;
  auto disk = FaultDisk::Make(folder_.path(), "collector", 192 * scale);
  if (disk.ok()) {
    collector_disk_ = *std::move(disk);
    FOREWARN_ASSIGN_OR_RETURN(agent_disk_,
                              FaultDisk::Make(folder_.path(), "agents", 64 * scale));
  } else {
    base::Log(base::LogLevel::kWarning,
              "no disks of our own: no power is cut and none is full",
              {{"reason", base::ToLine(disk.status())}});
    mkdir((folder_ / "collector").c_str(), 0700);
    mkdir((folder_ / "agents").c_str(), 0700);
  }
  https_port_ = testing::FreePort();
  agents_port_ = testing::FreePort();
  proxy_ = std::make_unique<FaultProxy>(agents_port_);
  SetClockOffset(absl::ZeroDuration());
  folder_.Write("secret", "secret-of-the-rig");
  chmod((folder_ / "secret").c_str(), 0600);
  folder_.Write("rules/rig.yaml", kRules);
  folder_.Write(
      "collector.yaml",
      absl::StrCat("state_directory: ", collector_state(),
                   "\nhttps: {address: 127.0.0.1, port: ", https_port_,
                   "}\nagents: {address: 127.0.0.1, port: ", agents_port_,
                   "}\nrules: {directory: ", folder_ / "rules",
                   "}\nlog_level: warning\ntick: 1s\n"
                   "correlation: {fold_window: 0s}\n"
                   "notify:\n  first_retry: 1s\n  webhooks:\n"
                   "  - {name: box, url: \"",
                   webhook_.Url(), "\", secret_file: ", folder_ / "secret",
                   ", allow_private_addresses: true}\n"));
  const e2e::Output made = e2e::RunProgram(
      {Program("forewarn-collector"), "init", "--config",
       folder_ / "collector.yaml", "--credential", folder_ / "cli.yaml"});
  if (made.code != 0) return absl::InternalError(made.err);
  StartCollector(false);
  for (int i = 0; i < options_.agents; ++i) {
    FOREWARN_ASSIGN_OR_RETURN(const agent::Identity identity, Enroll(i));
    ids_.push_back(identity.endpoint_id);
  }
  FOREWARN_ASSIGN_OR_RETURN(rogue_, Enroll(options_.agents));
  agents_.resize(static_cast<size_t>(options_.agents));
  for (int i = 0; i < options_.agents; ++i) StartAgent(i);
  const base::Deadline drained(options_.settle_within);
  if (!Settle("the start", options_.settle_within)) {
    return absl::InternalError("nothing gets through");
  }
  if (options_.backlog > 0) {
    verdict_.faults["drain_seconds"] = static_cast<uint64_t>(
        absl::ToInt64Seconds(options_.settle_within - drained.Left()));
  }
  return absl::OkStatus();
}

absl::StatusOr<agent::Identity> Stage::Enroll(int agent) {
  const std::vector<std::string> environment = {"FOREWARN_CONFIG=" +
                                                folder_ / "cli.yaml"};
  e2e::Output token;
  for (int i = 0; i < 200; ++i) {
    token = e2e::RunProgram({Program("forewarn"), "token", "create", "--kind",
                             "enroll", "--name", "rig"},
                            environment);
    if (token.code == 0) break;
    poll(nullptr, 0, 50);
  }
  if (token.code != 0) {
    return absl::InternalError(token.err + TailOf(folder_ / "collector.log"));
  }
  folder_.Write("token", token.out);
  const std::string state = absl::StrCat(
      agent_disk_ ? agent_disk_->path() : folder_ / "agents", "/", agent);
  const e2e::Output enrolled =
      e2e::RunProgram({Program("forewarn-agent"), "enroll", "--state", state,
                       "--token-file", folder_ / "token"});
  if (enrolled.code != 0) return absl::InternalError(enrolled.err);
  return agent::KeyStore(base::Files::Posix(), state).Load();
}

// `may_break`: it may die at a system call, or meet a sync that fails.
void Stage::StartCollector(bool may_break) {
  std::vector<std::string> environment = {
      absl::StrCat("LD_PRELOAD=", FOREWARN_FAULT_SHIM),
      "FAULT_CLOCK=" + folder_ / "clock"};
  collector_may_break_ = false;
  const uint64_t choice = may_break ? Below(10) : 9;
  if (choice < 3) {
    environment.push_back(absl::StrCat("FAULT_KILL_AT=", 1 + Below(2000)));
    collector_may_break_ = true;
    ++verdict_.faults["crash_at_call"];
  } else if (choice < 5) {
    // While it starts, that is a reason to end.
    environment.push_back(absl::StrCat("FAULT_SYNC_EIO=", 1 + Below(40)));
    collector_may_break_ = true;
    ++verdict_.faults["sync_error"];
  }
  collector_ = std::make_unique<e2e::Child>(
      std::vector<std::string>{Program("forewarn-collector"), "serve",
                               "--config", folder_ / "collector.yaml"},
      folder_ / "collector.log", environment);
}

void Stage::StartAgent(int agent) {
  std::vector<std::string> environment;
  if (Below(5) == 0) {
    environment = {absl::StrCat("LD_PRELOAD=", FOREWARN_FAULT_SHIM),
                   absl::StrCat("FAULT_KILL_AT=", 1 + Below(1000))};
    ++verdict_.faults["crash_at_call"];
  }
  agents_[agent] = std::make_unique<e2e::Child>(
      std::vector<std::string>{
          Program("numbered-agent"),
          absl::StrCat(agent_disk_ ? agent_disk_->path() : folder_ / "agents",
                       "/", agent),
          absl::StrCat("127.0.0.1:", proxy_->port()), ledger(agent),
          absl::StrCat(options_.tick_ms), absl::StrCat(options_.spacing),
          absl::StrCat(options_.cases), absl::StrCat(agent + 1),
          absl::StrCat(options_.backlog)},
      folder_ / "agents.log", environment);
}

void Stage::KillAgent(int agent) {
  agents_[agent]->Signal(SIGKILL);
  agents_[agent]->Wait();
  AppendToLedger(ledger(agent), "K");
}

void Stage::KillCollector() {
  if (!collector_->running() && !collector_may_break_) {
    verdict_.Complain("the collector ended by itself with ", collector_->Wait(),
                      ": ", TailOf(folder_ / "collector.log"));
  }
  collector_->Signal(SIGKILL);
  collector_->Wait();
}

void Stage::Sleep(int most_ms) {
  poll(nullptr, 0, static_cast<int>(Below(static_cast<uint64_t>(most_ms))));
}

void Stage::SetClockOffset(absl::Duration offset) {
  const int64_t ns = absl::ToInt64Nanoseconds(offset);
  const int file =
      open((folder_ / "clock").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (pwrite(file, &ns, sizeof(ns), 0) != sizeof(ns)) std::abort();
  close(file);
}

void Stage::Play() {
  for (int cycle = 1; cycle <= options_.cycles; ++cycle) {
    Sleep(400);
    const int agent = static_cast<int>(Below(options_.agents));
    KillAgent(agent);
    ++verdict_.kills_agent;
    StartAgent(agent);
    Sleep(600);
    KillCollector();
    ++verdict_.kills_collector;
    Sleep(200);
    StartCollector(true);
    Sleep(600);
    Mishap();
    if (cycle % kCyclesASettling == 0 &&
        !Settle(absl::StrCat("cycle ", cycle))) {
      return;
    }
  }
}

// Everybody runs, and what is produced now is acknowledged in time: the
// pipeline is alive.
bool Stage::Settle(const std::string& after, absl::Duration within) {
  proxy_->Set(FaultProxy::Mode::kPass);
  const auto number = [this](int agent) {
    const Promises promises = ReadLedger(ledger(agent));
    return promises.produced.empty() ? 0 : promises.produced.rbegin()->first;
  };
  std::vector<uint64_t> wanted;
  for (int i = 0; i < options_.agents; ++i) wanted.push_back(number(i) + 1);
  const base::Deadline deadline(within);
  while (deadline.Left() > absl::ZeroDuration()) {
    if (!collector_->running()) {
      KillCollector();  // complains where it should not have ended
      StartCollector(false);
    }
    bool done = true;
    for (int i = 0; i < options_.agents; ++i) {
      if (!agents_[i]->running()) {
        AppendToLedger(ledger(i), "K");
        StartAgent(i);
      }
      done &= ReadLedger(ledger(i)).acked >= wanted[i];
    }
    if (done) return true;
    // Many long ledgers take a while to read.
    poll(nullptr, 0, options_.backlog > 0 ? 2000 : 50);
  }
  verdict_.Complain("after ", after, " nothing got through for ",
                    absl::FormatDuration(within), ": ",
                    TailOf(folder_ / "collector.log"), "\n",
                    TailOf(folder_ / "agents.log"));
  return false;
}

void Stage::Close() {
  KillCollector();
  StartCollector(false);
  Settle("the last cycle");
  for (int i = 0; i < options_.agents; ++i) KillAgent(i);
  webhook_.TakeAll();
  webhook_accepts_.resize(webhook_.requests().size());
  // What is due goes out: after a refusal in some seconds.
  const base::Deadline deadline(absl::Minutes(1));
  size_t seen = 0;
  do {
    seen = webhook_.requests().size();
    poll(nullptr, 0, 4000);
  } while (webhook_.requests().size() != seen &&
           deadline.Left() > absl::ZeroDuration());
  collector_->Signal(SIGTERM);
  if (const int code = collector_->Wait(); code != 0) {
    verdict_.Complain("the collector ended with ", code, ": ",
                      TailOf(folder_ / "collector.log"));
  }
}

}  // namespace forewarn::faults
