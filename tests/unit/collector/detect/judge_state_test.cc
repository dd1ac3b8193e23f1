// Detectors that go on from saved state must say what those say that never
// stopped.

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "collector/detect/endpoint_judge.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/collector/detect/recording_sink.h"

namespace forewarn::detect {
namespace {

using ::forewarn::testing::StatusIs;

constexpr int kTicks = 4000;
const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

wire::SeriesDefinition Define(const std::string& metric,
                              const std::string& unit, uint32_t digits,
                              wire::Attributes attributes = {}) {
  wire::SeriesDefinition definition;
  definition.metric = metric;
  definition.unit = unit;
  definition.digits = digits;
  definition.attributes = std::move(attributes);
  return definition;
}

std::vector<wire::SeriesDefinition> Definitions() {
  std::vector<wire::SeriesDefinition> definitions = {
      Define("system.uptime", "s", 0),
      Define("system.filesystem.utilization", "1", 5,
             {{"system.filesystem.mountpoint", "/"}}),
      Define("system.cpu.utilization", "1", 4),
      Define("system.memory.utilization", "1", 4),
      Define("forewarn.gateway.loss", "1", 2),
      Define("forewarn.memory.oom_kills", "{kill}", 0),
      Define("hw.temperature", "Cel", 1),
  };
  definitions[5].kind = wire::MetricKind::kCounter;
  return definitions;
}

// A machine's life: a disk that fills, bursts, a reboot, kills, a gateway
// that goes, a temperature that steps.
std::vector<std::vector<wire::Sample>> Life(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise;
  std::vector<std::vector<wire::Sample>> ticks;
  double kills = 0;
  for (int i = 0; i < kTicks; ++i) {
    if (i % 1500 == 700) kills += 2;
    const bool busy = i % 900 > 780;
    ticks.push_back(
        {{0, 10.0 * (i < 2500 ? i + 5000 : i - 2500)},
         {1, std::min(0.3 + 0.7 * i / kTicks + 0.001 * noise(random), 0.999)},
         {2, std::clamp((busy ? 0.97 : 0.2) + 0.03 * noise(random), 0.0, 1.0)},
         {3, std::clamp(0.5 + 0.4 * i / kTicks + 0.01 * noise(random), 0., 1.)},
         {4, i % 2000 > 1900 ? 1.0 : 0.0},
         {5, kills},
         {6, (i > 3000 ? 71 : 45) + noise(random)}});
    if (i % 700 == 699) ticks.back().resize(3);  // a source was silent
  }
  return ticks;
}

class JudgeStateTest : public ::testing::Test {
 protected:
  JudgeStateTest() {
    EXPECT_THAT(RuleSet::Load("", {}, rules_), ::testing::IsEmpty());
    profile_.id = "8f3b2c1d-0000-4000-8000-000000000001";
    profile_.host_name = "web-01";
  }

  std::unique_ptr<EndpointJudge> Make(RecordingSink& sink) const {
    auto judge = std::make_unique<EndpointJudge>(profile_, rules_, sink);
    const std::vector<wire::SeriesDefinition> definitions = Definitions();
    for (uint32_t i = 0; i < definitions.size(); ++i) {
      judge->DefineSeries(i, definitions[i]);
    }
    return judge;
  }

  static std::vector<std::string> Said(const RecordingSink& sink) {
    std::vector<std::string> said;
    for (const SymptomEdge& edge : sink.edges) {
      said.push_back(absl::StrCat(static_cast<int>(edge.kind), " ",
                                  edge.symptom.DebugString()));
    }
    return said;
  }

  std::string StateAfter(int ticks) const {
    RecordingSink sink;
    const auto judge = Make(sink);
    const auto life = Life(1);
    for (int i = 0; i < ticks; ++i) {
      judge->Observe(kStart + i * absl::Seconds(10), life[i]);
    }
    return judge->SaveState();
  }

  RuleSet rules_;
  EndpointProfile profile_;
};

TEST_F(JudgeStateTest, GoesOnAsIfItHadNeverStopped) {
  for (const uint64_t seed : {1, 2, 3}) {
    const auto life = Life(seed);
    RecordingSink steady_sink;
    RecordingSink halting_sink;
    const auto steady = Make(steady_sink);
    auto halting = Make(halting_sink);
    std::mt19937_64 random(seed);
    for (int i = 0; i < kTicks; ++i) {
      const absl::Time now = kStart + i * absl::Seconds(10);
      steady->Observe(now, life[i]);
      halting->Observe(now, life[i]);
      if (random() % 300 != 0) continue;
      const std::string state = halting->SaveState();
      halting = Make(halting_sink);
      FOREWARN_ASSERT_OK(halting->RestoreState(state));
      EXPECT_EQ(halting->now(), now);
      EXPECT_EQ(halting->SaveState(), state);
      EXPECT_EQ(halting->Standing().size(), steady->Standing().size());
    }
    EXPECT_GT(steady_sink.edges.size(), 5u) << "seed " << seed;
    EXPECT_EQ(Said(halting_sink), Said(steady_sink)) << "seed " << seed;
    EXPECT_EQ(halting->SaveState(), steady->SaveState()) << "seed " << seed;
  }
}

TEST_F(JudgeStateTest, AnyDamageIsNoticed) {
  const std::string good = StateAfter(500);
  RecordingSink sink;
  for (size_t at = 0; at < good.size(); at += 1 + good.size() / 300) {
    std::string flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    EXPECT_THAT(Make(sink)->RestoreState(flipped),
                StatusIs(absl::StatusCode::kDataLoss))
        << at;
    EXPECT_THAT(Make(sink)->RestoreState(good.substr(0, at)),
                StatusIs(absl::StatusCode::kDataLoss))
        << at;
  }
  EXPECT_THAT(Make(sink)->RestoreState(good + good),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(JudgeStateTest, StateOfOtherRulesOrSeriesIsRefused) {
  const std::string state = StateAfter(500);
  RecordingSink sink;
  const auto more = Make(sink);
  more->DefineSeries(7, Define("system.cpu.load_average.1m", "1", 2));
  EXPECT_THAT(more->RestoreState(state), StatusIs(absl::StatusCode::kDataLoss));
  profile_.endpoint_class = v1::ENDPOINT_CLASS_LAPTOP;
  EXPECT_THAT(Make(sink)->RestoreState(state),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace forewarn::detect
