// The fault rig: faults by a seed against rooms in memory and against the real
// programs, and an oracle that was told what was promised. One JSON line; exit
// code 1 when a promise was broken, 2 when the rig itself cannot run.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "protos/base/descriptor.h"
#include "protos/base/seeded_bug.h"
#include "protos/base/status.h"
#include "tests/faults/oracle.h"
#include "tests/faults/rooms.h"
#include "tests/faults/stage.h"
#include "tests/faults/verdict.h"

namespace forewarn::faults {
namespace {

std::string ToJson(const Stage::Options& options, const Verdict& verdict) {
  google::protobuf::Struct object;
  const auto put = [&](const std::string& name, uint64_t value) {
    (*object.mutable_fields())[name].set_number_value(
        static_cast<double>(value));
  };
  put("seed", options.seed);
  put("cycles", static_cast<uint64_t>(options.cycles));
  put("kills_agent", verdict.kills_agent);
  put("kills_collector", verdict.kills_collector);
  put("produced", verdict.produced);
  put("acked", verdict.acked);
  put("stored", verdict.stored);
  put("lost", verdict.lost);
  put("duplicated", verdict.duplicated);
  put("tickets", verdict.tickets);
  put("tickets_lost", verdict.tickets_lost);
  put("tickets_doubled", verdict.tickets_doubled);
  put("notifications", verdict.notifications);
  put("notifications_lost", verdict.notifications_lost);
  for (const auto& [name, count] : verdict.faults) {
    put(name, count);
  }
  put("broken_promises", verdict.complaints.size());
  std::string text;
  const auto written =
      google::protobuf::util::MessageToJsonString(object, &text);
  return written.ok() ? text : "{}";
}

// Nothing goes to stderr meanwhile.
class Hush {
 public:
  Hush() : before_(dup(STDERR_FILENO)) {
    const base::Descriptor nothing(open("/dev/null", O_WRONLY | O_CLOEXEC));
    dup2(nothing.get(), STDERR_FILENO);
  }
  ~Hush() { dup2(before_.get(), STDERR_FILENO); }

 private:
  const base::Descriptor before_;
};

int Run(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // the rogue's connections are cut
  CLI::App app("Faults by a seed, and whether every promise was kept.");
  Stage::Options options;
  std::string bug;
  bool rooms_only = false;
  app.add_option("--cycles", options.cycles, "each kills both sides once")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--seed", options.seed, "of all that happens");
  app.add_option("--bug", bug, "SB1 to SB10: a mistake made on purpose");
  app.add_flag("--rooms", rooms_only, "without the real programs");
  app.add_option("--agents", options.agents, "on the stage")
      ->check(CLI::Range(1, 1000));
  app.add_option("--backlog", options.backlog,
                 "no kills: every agent begins with so many batches waiting, "
                 "ten seconds each");
  bool storm = false;
  app.add_flag("--storm", storm, "all cases of all agents at one moment");
  app.add_option("--cases", options.cases, "tickets an agent")
      ->check(CLI::Range(1, 4000));
  CLI11_PARSE(app, argc, argv);
  if (storm) options.spacing = 0;
  if (options.backlog > 0) {
    options.cycles = 0;
    options.settle_within = absl::Minutes(30);
  }
#ifndef FOREWARN_SEEDED_BUGS
  if (!bug.empty()) {
    std::fprintf(stderr, "faults: --bug needs the preset faults\n");
    return 2;
  }
#endif
  if (!bug.empty()) setenv("FOREWARN_SEEDED_BUG", bug.c_str(), 1);
  std::fprintf(stderr, "faults: seed %llu\n",
               static_cast<unsigned long long>(options.seed));

  Verdict verdict;
  {
    // The rooms complain, and rightly, of every disk that fails them.
    const Hush hush;
    PlayReconnects(options.seed, verdict);
    for (int i = 0; i < options.cycles && verdict.complaints.empty(); ++i) {
      const uint64_t seed = options.seed * 1000003 + static_cast<uint64_t>(i);
      PlaySpool(seed, verdict);
      PlayHistory(seed, verdict);
      PlayDamage(seed, verdict);
    }
  }
  if (!rooms_only && verdict.complaints.empty()) {
    Stage stage(options, verdict);
    if (const absl::Status ready = stage.SetUp(); !ready.ok()) {
      if (verdict.complaints.empty()) {
        std::fprintf(stderr, "faults: cannot begin: %s\n",
                     base::ToLine(ready).c_str());
        return 2;
      }
    } else {
      stage.Play();
      stage.Close();
      Judge(stage, verdict);
    }
  }
  for (const std::string& complaint : verdict.complaints) {
    std::fprintf(stderr, "faults: %s\n", complaint.c_str());
  }
  std::printf("%s\n", ToJson(options, verdict).c_str());
  return verdict.complaints.empty() ? 0 : 1;
}

}  // namespace
}  // namespace forewarn::faults

int main(int argc, char** argv) { return forewarn::faults::Run(argc, argv); }
