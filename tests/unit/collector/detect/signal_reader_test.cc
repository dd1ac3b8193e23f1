#include "collector/detect/signal_reader.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace forewarn::detect {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class SignalReaderTest : public ::testing::Test {
 protected:
  uint32_t Define(const std::string& metric, wire::Attributes attributes) {
    const uint32_t series = table_.size();
    table_.Define(series, {.metric = metric,
                           .unit = "By",
                           .attributes = std::move(attributes)});
    return series;
  }
  void Set(uint32_t series, double value) {
    table_.Observe(now_, series, value);
  }
  void Pass(absl::Duration by) { now_ += by; }

  SeriesTable table_;
  absl::Time now_ = kStart;
};

TEST_F(SignalReaderTest, WhereTakesSeveralValuesAndNegation) {
  v1::Signal signal;
  (*signal.mutable_where())["state"] = "used|cached";
  EXPECT_TRUE(MatchesWhere(signal, {{"state", "cached"}}));
  EXPECT_FALSE(MatchesWhere(signal, {{"state", "free"}}));
  (*signal.mutable_where())["state"] = "!used|cached";
  EXPECT_FALSE(MatchesWhere(signal, {{"state", "cached"}}));
  EXPECT_TRUE(MatchesWhere(signal, {{"state", "free"}}));
}

TEST_F(SignalReaderTest, CompanionsAgreeWhereBothHaveTheKey) {
  const uint32_t main = Define("used", {{"mount", "/b"}});
  const uint32_t a = Define("free", {{"mount", "/a"}, {"x", "1"}});
  const uint32_t b = Define("free", {{"mount", "/b"}, {"x", "1"}});
  Set(main, 1);
  Set(a, 10);
  Set(b, 20);
  v1::Signal signal;
  signal.set_metric("free");
  EXPECT_EQ(SignalReader::OfCompanion(signal, main).Read(table_, now_), 20.0);
}

TEST_F(SignalReaderTest, AKeyTheCompanionAsksForNeedNotAgree) {
  const uint32_t used = Define("usage", {{"mount", "/"}, {"state", "used"}});
  const uint32_t free = Define("usage", {{"mount", "/"}, {"state", "free"}});
  Set(used, 30);
  Set(free, 10);
  v1::Signal signal;
  signal.set_metric("usage");
  v1::Signal& divisor = *signal.mutable_divided_by();
  divisor.set_metric("usage");
  (*divisor.mutable_where())["state"] = "free";
  EXPECT_EQ(SignalReader::OfSeries(signal, used).Read(table_, now_), 3.0);
}

TEST_F(SignalReaderTest, AMissingOrZeroDivisorIsNoVerdict) {
  const uint32_t main = Define("used", {});
  Set(main, 1);
  v1::Signal signal;
  signal.set_metric("used");
  signal.mutable_divided_by()->set_metric("limit");
  SignalReader reader = SignalReader::OfSeries(signal, main);
  EXPECT_EQ(reader.Read(table_, now_), std::nullopt);
  const uint32_t limit = Define("limit", {});
  Set(limit, 0);
  EXPECT_EQ(reader.Read(table_, now_), std::nullopt);
  Pass(absl::Seconds(10));
  Set(limit, 4);
  EXPECT_EQ(reader.Read(table_, now_), 0.25);
}

TEST_F(SignalReaderTest, ACompanionThatIsGoneNoLongerCounts) {
  const uint32_t main = Define("used", {});
  const uint32_t other = Define("free", {});
  Set(other, 5);
  v1::Signal signal;
  signal.set_metric("free");
  SignalReader reader = SignalReader::OfCompanion(signal, main);
  EXPECT_EQ(reader.Read(table_, now_), 5.0);
  Pass(absl::Minutes(11));
  Set(main, 1);
  EXPECT_EQ(reader.Read(table_, now_), std::nullopt);
}

TEST_F(SignalReaderTest, ComparesWithALongerWindow) {
  const uint32_t main = Define("switches", {});
  table_.Watch(main, absl::Minutes(1), WindowFunction::kAverage);
  table_.Watch(main, absl::Minutes(10), WindowFunction::kAverage);
  v1::Signal signal;
  signal.set_metric("switches");
  signal.set_function("average");
  signal.mutable_window()->set_seconds(60);
  signal.mutable_relative_to_window()->set_seconds(600);
  SignalReader reader = SignalReader::OfSeries(signal, main);
  for (int i = 0; i < 60; ++i) {
    Pass(absl::Seconds(10));
    Set(main, 1);
  }
  for (int i = 0; i < 6; ++i) {
    Pass(absl::Seconds(10));
    Set(main, 11);
  }
  EXPECT_NEAR(*reader.Read(table_, now_), 11 / 2.0, 0.1);
}

TEST_F(SignalReaderTest, UnitsFollowTheFunction) {
  v1::Signal signal;
  EXPECT_EQ(SignalUnit(signal, "By"), "By");
  signal.set_function("rate");
  EXPECT_EQ(SignalUnit(signal, "By"), "By/s");
  signal.mutable_divided_by();
  EXPECT_EQ(SignalUnit(signal, "By"), "1");
}

}  // namespace
}  // namespace forewarn::detect
