#include "collector/backtest/backtest.h"

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::backtest {
namespace {

using forewarn::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kHeader[] =
    "timestamp,\"system.filesystem.utilization{system.device=tmpfs,"
    "system.filesystem.mountpoint=/mnt/t,system.filesystem.type=tmpfs}\"\n";

class BacktestTest : public ::testing::Test {
 protected:
  std::vector<std::string> Lines(const std::string& name) {
    return folder_.Lines(name);
  }
  // A file system that fills within twelve minutes, stays full for five and
  // is emptied.
  std::string Fill() const {
    std::string text = kHeader;
    for (int i = 0; i < 500; ++i) {
      const double used = i < 102 ? std::min(1.0, i / 72.0) : 0.1;
      absl::StrAppend(&text, 1'800'000'000 + i * 10, ",", used, "\n");
    }
    return text;
  }
  BacktestOptions Options(const std::string& input) {
    BacktestOptions options;
    options.input = folder_ / input;
    options.scores = folder_ / "out/scores";
    options.symptoms = folder_ / "out/symptoms.csv";
    options.tickets = folder_ / "out/tickets.csv";
    return options;
  }

  forewarn::testing::TemporaryFolder folder_;
};

TEST_F(BacktestTest, AFillGivesOneTicketWithItsForecast) {
  folder_.Write("fill.csv", Fill());
  const auto report = RunBacktest(Options("fill.csv"));
  FOREWARN_ASSERT_OK(report);
  EXPECT_EQ(report->rows, 500u);
  EXPECT_EQ(report->tickets, 1u);
  const std::vector<std::string> tickets = Lines("out/tickets.csv");
  ASSERT_THAT(tickets, SizeIs(2));
  EXPECT_EQ(tickets[0],
            "ticket,endpoint,opened,closed,priority,title,symptoms");
  EXPECT_THAT(tickets[1], StartsWith("1,fill,2027-01-15T08:0"));
  EXPECT_THAT(tickets[1], HasSubstr("/mnt/t"));
  EXPECT_THAT(tickets[1], HasSubstr(",P2,"));
  const std::vector<std::string> symptoms = Lines("out/symptoms.csv");
  EXPECT_EQ(symptoms[0],
            "endpoint,series,detector,rule,opened,cleared,priority,score,"
            "predicted_limit_time,message");
  EXPECT_THAT(symptoms[1], HasSubstr(",forecast,disk_fill,2027-01-15T08:0"));
  EXPECT_THAT(symptoms[1], HasSubstr(",P2,1,2027-01-15T08:1"));
}

TEST_F(BacktestTest, ScoresStandBesideEveryRow) {
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0, 1);
  std::string text = "timestamp,x\n";
  for (int i = 0; i < 1000; ++i) {
    absl::StrAppend(&text, i * 60, ",", i == 900 ? 50 : noise(random), "\n");
  }
  folder_.Write("in.csv", text);
  FOREWARN_ASSERT_OK(RunBacktest(Options("in.csv")));
  const std::vector<std::string> lines = Lines("out/scores");
  ASSERT_THAT(lines, SizeIs(1001));
  EXPECT_EQ(lines[0], "timestamp,value,anomaly_score");
  double best = 0;
  size_t best_line = 0;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> fields = absl::StrSplit(lines[i], ',');
    ASSERT_THAT(fields, SizeIs(3));
    const double score = std::stod(fields[2]);
    ASSERT_GE(score, 0);
    ASSERT_LE(score, 1);
    if (score > best) {
      best = score;
      best_line = i;
    }
  }
  EXPECT_EQ(best_line, 901u);
}

TEST_F(BacktestTest, ADirectoryIsOneEndpointAFile) {
  folder_.Write("in/a.csv", "timestamp,x,y\n1,2,3\n2,2,\n");
  folder_.Write("in/deep/b.csv", "timestamp,x\n1,2\n1,3\n");
  folder_.Write("in/deep/c.txt", "nothing");
  const auto report = RunBacktest(Options("in"));
  FOREWARN_ASSERT_OK(report);
  EXPECT_EQ(report->endpoints, 2u);
  EXPECT_EQ(report->skipped_rows, 1u);
  EXPECT_THAT(
      report->problems,
      ElementsAre(HasSubstr("b.csv:3: the time does not go on; 1 row")));
  EXPECT_THAT(Lines("out/scores/a.csv"),
              ElementsAre("timestamp,anomaly_score,x,y", "1,0,0,0", "2,0,0,0"));
  EXPECT_THAT(Lines("out/scores/deep/b.csv"), SizeIs(3));
}

TEST_F(BacktestTest, ABadFileIsListedAndTheOthersAreDone) {
  folder_.Write("in/a.csv", "timestamp,x\n1,2\n2,oops\n");
  folder_.Write("in/b.csv", "1,2\n");
  folder_.Write("in/c.csv", "");
  folder_.Write("in/d.csv", Fill());
  size_t told = 0;
  BacktestOptions options = Options("in");
  options.progress = [&](size_t done, size_t files) {
    EXPECT_EQ(done, ++told);
    EXPECT_EQ(files, 4u);
  };
  const auto report = RunBacktest(options);
  FOREWARN_ASSERT_OK(report);
  EXPECT_EQ(told, 4u);
  EXPECT_EQ(report->endpoints, 1u);
  EXPECT_EQ(report->tickets, 1u);
  EXPECT_THAT(report->problems,
              ElementsAre(HasSubstr("a.csv:3:"), HasSubstr("b.csv:1:"),
                          HasSubstr("c.csv:")));
}

TEST_F(BacktestTest, TheNumberOfThreadsChangesNoByte) {
  for (int i = 0; i < 12; ++i) {
    folder_.Write(absl::StrCat("in/", i, ".csv"), Fill());
  }
  BacktestOptions options = Options("in");
  options.jobs = 1;
  FOREWARN_ASSERT_OK(RunBacktest(options));
  const auto tickets = Lines("out/tickets.csv");
  const auto symptoms = Lines("out/symptoms.csv");
  const auto scores = Lines("out/scores/7.csv");
  options.jobs = 5;
  FOREWARN_ASSERT_OK(RunBacktest(options));
  EXPECT_THAT(tickets, SizeIs(13));
  EXPECT_EQ(Lines("out/tickets.csv"), tickets);
  EXPECT_EQ(Lines("out/symptoms.csv"), symptoms);
  EXPECT_EQ(Lines("out/scores/7.csv"), scores);
}

TEST_F(BacktestTest, FurtherRulesAreAdded) {
  folder_.Write("rules.yaml",
                "rules:\n  - id: mine\n    subsystem: cpu\n"
                "    title: \"{host} at {value}\"\n    explanation: e\n"
                "    signal: {metric: forewarn.cpu.busy}\n"
                "    levels: [{priority: P1, above: 10}]\n");
  folder_.Write("in.csv", "timestamp,forewarn.cpu.busy\n1,5\n2,20\n");
  BacktestOptions options = Options("in.csv");
  options.rules_file = folder_ / "rules.yaml";
  FOREWARN_ASSERT_OK(RunBacktest(options));
  EXPECT_THAT(Lines("out/tickets.csv"),
              ElementsAre(::testing::_, HasSubstr(",P1,in at ")));
}

TEST_F(BacktestTest, BadInputAndBadRulesAreInvalidArguments) {
  folder_.Write("in.csv", "timestamp,x\n1,a\n");
  EXPECT_THAT(RunBacktest(Options("in.csv")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("in.csv:2: column 'x'")));
  folder_.Write("good.csv", "timestamp,x\n1,2\n");
  folder_.Write("rules.yaml", "rules: [{id: x}]");
  BacktestOptions options = Options("good.csv");
  options.rules_file = folder_ / "rules.yaml";
  EXPECT_THAT(RunBacktest(options), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("rules.yaml")));
  EXPECT_THAT(RunBacktest(Options("none.csv")),
              StatusIs(absl::StatusCode::kNotFound));
}

// 24 hours of a machine that only does its usual work.
TEST_F(BacktestTest, AQuietDayGivesNoTicket) {
  std::mt19937 random(4);
  std::normal_distribution<double> noise(0, 1);
  std::exponential_distribution<double> tail(1);
  std::string text =
      "timestamp,forewarn.cpu.busy,forewarn.memory.used,"
      "\"forewarn.pressure.share{forewarn.pressure.kind=some,"
      "forewarn.pressure.resource=io}\","
      "\"forewarn.disk.latency{disk.io.direction=write,system.device=sda}\","
      "\"system.filesystem.utilization{system.filesystem.mountpoint=/}\","
      "forewarn.gateway.rtt{server.address=10.0.0.1},"
      "system.network.io{network.interface.name=eth0}\n";
  double memory = 0, bytes = 0, used = 0.55;
  for (int i = 0; i < 8640; ++i) {
    const double job = i % 2880 < 60 ? 5 : 1;  // ten minutes, thrice a day
    memory = 0.999 * memory + 0.001 * noise(random);
    bytes += 1e5 * job * tail(random);
    used += 2e-6;
    absl::StrAppend(&text, 1'800'000'000 + i * 10, ",",
                    std::min(1.0, 0.05 * job + 0.02 * tail(random)), ",",
                    0.5 + memory, ",", 0.01 * job * tail(random), ",",
                    0.003 * job * std::exp(0.5 * noise(random)), ",",
                    used + (i % 1000) * 1e-5, ",",
                    0.0008 * std::exp(0.3 * noise(random)), ",", bytes, "\n");
  }
  folder_.Write("quiet.csv", text);
  const auto report = RunBacktest(Options("quiet.csv"));
  FOREWARN_ASSERT_OK(report);
  EXPECT_EQ(report->tickets, 0u)
      << ::testing::PrintToString(Lines("out/tickets.csv"));
}

}  // namespace
}  // namespace forewarn::backtest
