// fleetsim: a made fleet with known faults before the real collector; one
// JSON line with what its desk made of them.

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "protos/base/logging.h"
#include "tests/fleetsim/csv_recorder.h"
#include "tests/fleetsim/live_fleet.h"
#include "tests/fleetsim/machine.h"
#include "tests/fleetsim/mishap.h"
#include "tests/fleetsim/score.h"
#include "tests/fleetsim/simulated_collector.h"

namespace forewarn::fleetsim {
namespace {

struct Arguments {
  uint64_t seed = 1;
  uint32_t endpoints = 100;
  int days = 7;
  std::string csv;
  bool remarks = false;
  bool quiet = false;
};

// A Monday that makes the last day one of the past: certificates are checked
// against the real time.
absl::Time FirstMonday(int days) {
  const absl::CivilDay today =
      absl::ToCivilDay(absl::Now(), absl::UTCTimeZone());
  absl::CivilDay monday = today - days - 1;
  while (absl::GetWeekday(monday) != absl::Weekday::monday) --monday;
  return absl::FromCivil(monday, absl::UTCTimeZone());
}

int Run(const Arguments& arguments) {
  const std::vector<Machine> fleet =
      MakeFleet(arguments.endpoints, arguments.seed);
  const Minute length = arguments.days * kDay;
  std::vector<Mishap> mishaps = PlanMishaps(fleet, length, arguments.seed);
  const absl::Time start = FirstMonday(arguments.days);
  const auto progress = [&](Minute now) {
    if (arguments.quiet || now % kDay != 0) return;
    std::fprintf(stderr, "\rday %d of %d", static_cast<int>(now / kDay),
                 arguments.days);
    if (now == length) std::fputc('\n', stderr);
  };
  if (!arguments.csv.empty()) {
    const absl::Status written =
        RecordFleet(fleet, mishaps, start, length, arguments.csv, progress);
    if (!written.ok()) {
      std::fprintf(stderr, "fleetsim: %s\n",
                   std::string(written.message()).c_str());
      return 1;
    }
    return 0;
  }
  const absl::StatusOr<DeskRecord> record =
      PlayFleet(fleet, mishaps, start, length, progress);
  if (!record.ok()) {
    std::fprintf(stderr, "fleetsim: %s\n", record.status().ToString().c_str());
    return 1;
  }
  const Score score = ScoreOf(fleet, mishaps, record->tickets, start, length);
  if (arguments.remarks) {
    for (const std::string& remark : score.remarks) {
      std::fprintf(stderr, "%s\n", remark.c_str());
    }
  }
  std::printf("%s\n", ToJson(score).c_str());
  return 0;
}

}  // namespace
}  // namespace forewarn::fleetsim

int main(int argc, char** argv) {
  forewarn::fleetsim::Arguments arguments;
  CLI::App app(
      "Plays a made fleet with known faults before the real collector, over "
      "the agents' protocol with a simulated clock, and says what its desk "
      "made of them: one JSON line.");
  app.footer(
      "Example: tests/fleetsim/run --seed 7 --endpoints 1000 --days 28 "
      "--remarks");
  app.add_option("--seed", arguments.seed, "Another fleet, other faults");
  app.add_option("--endpoints", arguments.endpoints)
      ->check(CLI::Range(1, 100000));
  app.add_option("--days", arguments.days)->check(CLI::Range(1, 80));
  app.add_option("--csv", arguments.csv,
                 "Play before nobody: write a file for each endpoint as "
                 "`forewarn-collector backtest` reads it, and truth.csv, into "
                 "this directory");
  app.add_flag("--remarks", arguments.remarks,
               "Name every false ticket, missed fault and late ticket");
  app.add_flag("--quiet", arguments.quiet, "No progress");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  // A stream that the collector ends is an error, told as such.
  std::signal(SIGPIPE, SIG_IGN);
  forewarn::base::SetLogLevel("warning");
  return forewarn::fleetsim::Run(arguments);
}
