// What bench-detection measures is what people get.

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "collector/backtest/backtest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bench/detection/score_series.h"
#include "tests/bench/detection/score_traces.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class LabelledSetsTest : public ::testing::Test {
 protected:
  std::vector<std::string> Lines(const std::string& name) {
    return folder_.Lines(name);
  }
  // Noise of `columns` series with a step in the last tenth.
  std::string Noise(int columns) const {
    std::mt19937 random(3);
    std::normal_distribution<double> noise(0, 1);
    std::string text = "timestamp";
    for (int c = 0; c < columns; ++c) absl::StrAppend(&text, ",m", c);
    for (int i = 0; i < 3000; ++i) {
      absl::StrAppend(&text, "\n", 1'800'000'000 + i * 60);
      for (int c = 0; c < columns; ++c) {
        absl::StrAppend(&text, ",", (i > 2700 ? 30 : 5) + noise(random));
      }
    }
    return text + "\n";
  }

  forewarn::testing::TemporaryFolder folder_;
};

TEST_F(LabelledSetsTest, ScoresAreThoseOfABackTest) {
  folder_.Write("one.csv", Noise(1));
  FOREWARN_ASSERT_OK(ScoreSeries(folder_ / "one.csv", absl::ZeroDuration(),
                                 ScoreFormat::kTimestamps,
                                 folder_ / "out.csv"));
  backtest::BacktestOptions options;
  options.input = folder_ / "one.csv";
  options.scores = folder_ / "scores.csv";
  FOREWARN_ASSERT_OK(backtest::RunBacktest(options).status());
  const std::vector<std::string> ours = Lines("out.csv");
  const std::vector<std::string> theirs = Lines("scores.csv");
  ASSERT_THAT(ours, SizeIs(3001));
  ASSERT_THAT(theirs, SizeIs(3001));
  for (size_t i = 1; i < ours.size(); ++i) {
    const std::vector<std::string> a = absl::StrSplit(ours[i], ',');
    const std::vector<std::string> b = absl::StrSplit(theirs[i], ',');
    ASSERT_EQ(a[0], b[0]);
    ASSERT_EQ(a[2], b[2]) << ours[i];
  }
}

TEST_F(LabelledSetsTest, ManySeriesMakeOneAlarm) {
  folder_.Write("many.csv", Noise(8));
  FOREWARN_ASSERT_OK(ScoreSeries(folder_ / "many.csv", absl::ZeroDuration(),
                                 ScoreFormat::kRows, folder_ / "out.csv"));
  std::vector<std::string> alarms;
  for (const std::string& line : Lines("out.csv")) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    if (fields[2] == "1") alarms.push_back(fields[0]);
  }
  ASSERT_FALSE(alarms.empty());
  EXPECT_EQ(alarms[0], "2701") << "the step, and nothing before it";
}

TEST_F(LabelledSetsTest, ATraceThatFillsGetsATicket) {
  std::string text = "time,value\n";
  for (int i = 0; i < 1000; ++i) {
    absl::StrAppend(&text, i * 60, ",", std::max(20.0, 20 + (i - 300) * 0.15),
                    "\n");
  }
  folder_.Write("trace.csv", text);
  FOREWARN_ASSERT_OK(
      ScoreTrace({folder_ / "trace.csv", "disk_used_pct", "100", "up"},
                 folder_ / "tickets.csv"));
  const std::vector<std::string> lines = Lines("tickets.csv");
  ASSERT_GE(lines.size(), 2);
  EXPECT_THAT(lines[1], HasSubstr(",open"));

  // A kind that no shipped rule knows is forecast all the same.
  FOREWARN_ASSERT_OK(ScoreTrace({folder_ / "trace.csv", "voltage", "100", "up"},
                                folder_ / "others.csv"));
  EXPECT_GE(Lines("others.csv").size(), 2);
}

TEST_F(LabelledSetsTest, BadInputIsToldWithFileAndLine) {
  folder_.Write("bad.csv", "timestamp,value\n1,2\n1,2,3\n");
  EXPECT_THAT(ScoreSeries(folder_ / "bad.csv", absl::ZeroDuration(),
                          ScoreFormat::kRows, folder_ / "out.csv")
                  .message(),
              HasSubstr("bad.csv:3:"));
}

}  // namespace
}  // namespace forewarn::bench
