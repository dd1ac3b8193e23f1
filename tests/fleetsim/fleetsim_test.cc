// The simulator itself, and what only it can show of the collector: that live
// and back-test agree.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "collector/backtest/backtest.h"
#include "collector/backtest/csv_writer.h"
#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "protos/wire/series.h"
#include "tests/fleetsim/csv_recorder.h"
#include "tests/fleetsim/live_fleet.h"
#include "tests/fleetsim/machine.h"
#include "tests/fleetsim/mishap.h"
#include "tests/fleetsim/score.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::fleetsim {
namespace {

// A Monday whose week is over: certificates are checked against real time.
absl::Time LastMonday() {
  absl::CivilDay monday =
      absl::ToCivilDay(absl::Now(), absl::UTCTimeZone()) - 10;
  while (absl::GetWeekday(monday) != absl::Weekday::monday) --monday;
  return absl::FromCivil(monday, absl::UTCTimeZone());
}

std::string Contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void Ignore(Minute) {}

TEST(FleetSimTest, TheSameSeedMakesTheSameFilesAndTruth) {
  testing::TemporaryFolder folder;
  for (const char* name : {"a", "b"}) {
    const std::vector<Machine> fleet = MakeFleet(12, 5);
    std::vector<Mishap> mishaps = PlanMishaps(fleet, kDay, 5);
    FOREWARN_ASSERT_OK(
        RecordFleet(fleet, mishaps, LastMonday(), kDay, folder / name, Ignore));
  }
  int files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder / "a")) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string other =
        folder / "b/" +
        std::filesystem::relative(entry.path(), folder / "a").string();
    EXPECT_EQ(Contents(entry.path()), Contents(other)) << other;
  }
  EXPECT_EQ(files, 13);
}

TEST(FleetSimTest, PlansAsManyLookAlikesAsFaultsAndOneAMachine) {
  const std::vector<Machine> fleet = MakeFleet(1000, 3);
  int faults = 0;
  int look_alikes = 0;
  std::set<Cause> causes;
  std::set<uint32_t> alone;
  for (const Mishap& mishap : PlanMishaps(fleet, 28 * kDay, 3)) {
    (IsFault(mishap.cause) ? faults : look_alikes) += 1;
    causes.insert(mishap.cause);
    if (IsCommon(mishap.cause)) continue;
    ASSERT_EQ(mishap.members.size(), 1u);
    EXPECT_TRUE(alone.insert(mishap.members[0].machine).second);
  }
  EXPECT_GE(faults, 150);
  EXPECT_GE(look_alikes, faults);
  EXPECT_EQ(causes.size(), static_cast<size_t>(Cause::kGrownDisk) + 1);
}

// Files name no site, so that they are compared with other machines.
constexpr char kPeer[] = "peer";

// Of one spell: what both sides can know of it.
using Spell = std::string;

Spell SpellOf(const std::string& host, const std::string& rule,
              const std::string& series, absl::Time opened) {
  return absl::StrCat(host, " ", rule, " ", series, " ",
                      absl::FormatTime(opened, absl::UTCTimeZone()));
}

std::set<Spell> LiveSpells(const DeskRecord& record) {
  std::set<Spell> spells;
  for (const v1::Symptom& symptom : record.symptoms) {
    if (symptom.detector() == v1::DETECTOR_KIND_SILENCE ||
        symptom.rule() == kPeer) {
      continue;
    }
    wire::Attributes attributes;
    for (const v1::Attribute& attribute : symptom.attributes()) {
      attributes.emplace_back(attribute.key(), attribute.value());
    }
    spells.insert(SpellOf(symptom.host_name(), symptom.rule(),
                          wire::SeriesName(symptom.metric(), attributes),
                          wire::ToTime(symptom.opened_at())));
  }
  return spells;
}

// Runs the files of each class through the back-test.
std::set<Spell> BacktestSpells(const std::string& folder) {
  std::set<Spell> spells;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    backtest::BacktestOptions options;
    options.input = entry.path().string();
    options.symptoms = entry.path().string() + ".symptoms";
    EXPECT_TRUE(v1::EndpointClass_Parse(
        absl::StrCat("ENDPOINT_CLASS_",
                     absl::AsciiStrToUpper(entry.path().filename().string())),
        &options.endpoint_class));
    const auto report = backtest::RunBacktest(options);
    EXPECT_THAT(report, testing::IsOk());
    std::ifstream file(options.symptoms);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      // endpoint,series,detector,rule,opened,...; a series may be quoted.
      std::vector<std::string> fields;
      bool quoted = false;
      fields.emplace_back();
      for (const char c : line) {
        if (c == '"') {
          quoted = !quoted;
        } else if (c == ',' && !quoted) {
          fields.emplace_back();
        } else {
          fields.back() += c;
        }
      }
      if (fields[3] == kPeer) continue;
      absl::Time opened;
      std::string error;
      EXPECT_TRUE(
          absl::ParseTime(absl::RFC3339_full, fields[4], &opened, &error))
          << fields[4] << error;
      spells.insert(SpellOf(fields[0], fields[3], fields[1], opened));
    }
  }
  return spells;
}

TEST(FleetSimTest, LiveAndBackTestAgreeOnTheSameSamples) {
  constexpr Minute kLength = 2 * kDay;
  const std::vector<Machine> fleet = MakeFleet(24, 9);
  testing::TemporaryFolder folder;
  std::vector<Mishap> recorded = PlanMishaps(fleet, kLength, 9);
  FOREWARN_ASSERT_OK(RecordFleet(fleet, recorded, LastMonday(), kLength,
                                 folder.path(), Ignore));
  std::vector<Mishap> played = PlanMishaps(fleet, kLength, 9);
  const auto record = PlayFleet(fleet, played, LastMonday(), kLength, Ignore);
  FOREWARN_ASSERT_OK(record);
  const std::set<Spell> live = LiveSpells(*record);
  const std::set<Spell> tested = BacktestSpells(folder.path());
  EXPECT_GT(live.size(), 20u);
  std::vector<Spell> differ;
  std::set_symmetric_difference(live.begin(), live.end(), tested.begin(),
                                tested.end(), std::back_inserter(differ));
  for (const Spell& spell : differ) {
    ADD_FAILURE() << (live.contains(spell) ? "only live: " : "only tested: ")
                  << spell;
  }
}

v1::Ticket TicketOn(const Machine& machine, const char* subsystem,
                    Minute opened, uint32_t id) {
  v1::Ticket ticket;
  ticket.set_id(id);
  ticket.set_kind(v1::INCIDENT);
  ticket.set_endpoint_id(EndpointId(machine.number));
  ticket.set_subsystem(subsystem);
  ticket.mutable_opened_at()->set_seconds(opened * 60);
  return ticket;
}

TEST(ScoreTest, CountsWhatIsInTimeLateFalseAndCommon) {
  const std::vector<Machine> fleet = MakeFleet(8, 1);
  std::vector<Mishap> mishaps(4);
  mishaps[0] = {.cause = Cause::kDiskFill,
                .members = {{0, 100, /*noticed=*/500, /*ended=*/600}}};
  mishaps[1] = {.cause = Cause::kLeak, .members = {{1, 100, 500, 600}}};
  mishaps[2] = {.cause = Cause::kBigCopy, .members = {{2, 100}}};
  mishaps[3] = {.cause = Cause::kDnsOutage,
                .members = {{4, 100, 120}, {5, 100, 130}, {6, 100, 140}}};
  std::vector<OpenedTicket> tickets = {
      {TicketOn(fleet[0], "filesystem", 200, 1), {}},
      {TicketOn(fleet[0], "cpu", 210, 2), {}},         // about something else
      {TicketOn(fleet[1], "memory", 550, 3), {}},      // after the user
      {TicketOn(fleet[2], "filesystem", 150, 4), {}},  // a look-alike
      {TicketOn(fleet[4], "network", 110, 5), {}},
      {TicketOn(fleet[5], "network", 110, 6), {}},
      {TicketOn(fleet[6], "network", 115, 7), {}}};
  v1::Ticket problem;
  problem.set_id(8);
  problem.set_kind(v1::PROBLEM);
  tickets.push_back({problem, {}});
  for (const int member : {4, 5, 6}) {
    tickets[static_cast<size_t>(member)].ticket.set_problem(8);
  }
  const Score score = ScoreOf(fleet, mishaps, tickets, absl::UnixEpoch(), 1000);
  EXPECT_EQ(score.faults, 3);
  EXPECT_EQ(score.ticketed, 3);
  EXPECT_EQ(score.before_notice, 2);
  EXPECT_EQ(score.false_tickets, 2);
  EXPECT_EQ(score.on_look_alikes, 1);
  EXPECT_DOUBLE_EQ(score.tickets_per_fault, 1);
  EXPECT_EQ(score.common_causes, 1);
  EXPECT_EQ(score.common_found, 1);
  EXPECT_EQ(score.common_tickets, 1);
}

}  // namespace
}  // namespace forewarn::fleetsim
