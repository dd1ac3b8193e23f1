#include "collector/detect/endpoint_judge.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "collector/detect/symptom_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/collector/detect/recording_sink.h"

namespace forewarn::detect {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kRules[] = R"(
rules:
  - id: used
    subsystem: filesystem
    title: "{system.filesystem.mountpoint} of {host}: {value}"
    explanation: text
    causes: [logs]
    article: disk-full
    steps: [look]
    quiet: 20min
    signal: {metric: system.filesystem.utilization}
    levels:
      - {priority: P3, above: 90%, clear: 80%, hold: 1min}
      - priority: P2
        above: 98%
        clear: 90%
        and: [{signal: {metric: forewarn.filesystem.available}, below: 5e9}]
  - id: fill
    subsystem: filesystem
    title: "{system.filesystem.mountpoint} full in {time_left}"
    explanation: text
    signal: {metric: system.filesystem.utilization}
    forecast:
      limit: 1
      direction: up
      from: 50%
      levels: [{priority: P2, time_left: 4h}, {priority: P3, time_left: 24h}]
  - id: oom
    subsystem: memory
    title: "{host}"
    explanation: text
    signal:
      {metric: forewarn.memory.oom_kills, function: increase, window: 30min}
    levels: [{priority: P3, above: 0, clear: 0}]
  - id: gateway
    subsystem: network
    title: "{host}"
    explanation: text
    signal: {metric: forewarn.gateway.loss}
    arm_after_good: 10min
    levels:
      - priority: P2
        above: 99%
        hold: 30s
        priority_by_class: {laptop: info}
  - id: load
    subsystem: cpu
    title: "{host}"
    explanation: text
    min_uptime: 10min
    signal: {metric: forewarn.load_per_core.1m}
    levels: [{priority: P4, above: 2}]
)";

class EndpointJudgeTest : public ::testing::Test {
 protected:
  EndpointJudgeTest() {
    EXPECT_THAT(rules_.Add(kRules, "test.yaml"), IsEmpty());
    profile_.id = "8f3b2c1d-0000-4000-8000-000000000001";
    profile_.host_name = "web-01";
    Start();
  }
  void Start() {
    judge_ = std::make_unique<EndpointJudge>(profile_, rules_, sink_);
    series_.clear();
  }

  uint32_t Series(const std::string& metric, wire::Attributes attributes = {},
                  const std::string& unit = "1") {
    const std::string name = wire::SeriesName(metric, attributes);
    const auto [it, is_new] = series_.try_emplace(name, series_.size());
    if (is_new) {
      judge_->DefineSeries(it->second, {.metric = metric,
                                        .unit = unit,
                                        .digits = 5,
                                        .attributes = attributes});
    }
    return it->second;
  }
  uint32_t Used(const std::string& mount) {
    return Series("system.filesystem.utilization",
                  {{"system.filesystem.mountpoint", mount}});
  }

  void Tick(std::vector<wire::Sample> samples,
            absl::Duration after = absl::Seconds(10)) {
    now_ += after;
    judge_->Observe(now_, samples);
  }

  EndpointProfile profile_;
  RuleSet rules_;
  RecordingSink sink_;
  std::unique_ptr<EndpointJudge> judge_;
  std::map<std::string, uint32_t> series_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(EndpointJudgeTest, ARuleFiresHoldsAndClearsWithEvidence) {
  const uint32_t used = Used("/");
  for (int i = 0; i < 30; ++i) Tick({{used, 0.95}});
  ASSERT_THAT(sink_.Story(), ElementsAre("opened P3 used"));
  const v1::Symptom& symptom = sink_.edges[0].symptom;
  EXPECT_EQ(symptom.endpoint_id(), profile_.id);
  EXPECT_EQ(symptom.fingerprint(),
            Fingerprint(profile_.id, "used",
                        "system.filesystem.utilization{"
                        "system.filesystem.mountpoint=/}"));
  EXPECT_EQ(symptom.subsystem(), "filesystem");
  EXPECT_EQ(symptom.evidence().value(), 0.95);
  EXPECT_EQ(symptom.evidence().expected_high(), 0.9);
  EXPECT_TRUE(symptom.evidence().has_expected_high());
  EXPECT_FALSE(symptom.evidence().has_expected_low());
  EXPECT_GT(symptom.evidence().window_size(), 1);
  EXPECT_LE(symptom.evidence().window_size(), 60);
  EXPECT_EQ(TimeOf(symptom.opened_at()) - TimeOf(symptom.since()),
            absl::Minutes(1));
  EXPECT_EQ(symptom.quiet().seconds(), 1200);
  EXPECT_EQ(symptom.runbook().article(), "disk-full");
  EXPECT_EQ(symptom.title().key(), "rule.used.title");
  std::vector<std::string> names;
  for (const auto& parameter : symptom.title().parameters()) {
    names.push_back(parameter.name());
  }
  EXPECT_THAT(names, ElementsAre("host", "value", "threshold",
                                 "system.filesystem.mountpoint"));

  Tick({{used, 0.85}});
  EXPECT_EQ(judge_->Standing().size(), 1u);
  Tick({{used, 0.79}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 used", "cleared P3 used"));
  EXPECT_TRUE(sink_.edges[1].symptom.has_cleared_at());
  EXPECT_THAT(judge_->Standing(), IsEmpty());
}

TEST_F(EndpointJudgeTest, AWorseLevelUpdatesTheSameSymptom) {
  const uint32_t used = Used("/");
  const uint32_t free = Series("forewarn.filesystem.available",
                               {{"system.filesystem.mountpoint", "/"}}, "By");
  const uint32_t other = Series("forewarn.filesystem.available",
                                {{"system.filesystem.mountpoint", "/a"}}, "By");
  for (int i = 0; i < 10; ++i) {
    Tick({{used, 0.95}, {free, 8e9}, {other, 1e9}});
  }
  Tick({{used, 0.99}, {free, 8e9}, {other, 1e9}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 used"));
  Tick({{used, 0.99}, {free, 4e9}, {other, 1e9}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 used", "updated P2 used"));
  EXPECT_EQ(sink_.edges[0].symptom.fingerprint(),
            sink_.edges[1].symptom.fingerprint());
  EXPECT_EQ(TimeOf(sink_.edges[0].symptom.opened_at()),
            TimeOf(sink_.edges[1].symptom.opened_at()));
  Tick({{used, 0.85}, {free, 20e9}, {other, 1e9}});
  EXPECT_EQ(sink_.Story().back(), "updated P3 used");
}

TEST_F(EndpointJudgeTest, EachSeriesHasASymptomOfItsOwn) {
  const uint32_t a = Used("/a"), b = Used("/b");
  for (int i = 0; i < 10; ++i) Tick({{a, 0.95}, {b, 0.96}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 used", "opened P3 used"));
  EXPECT_NE(sink_.edges[0].symptom.fingerprint(),
            sink_.edges[1].symptom.fingerprint());
}

TEST_F(EndpointJudgeTest, AFillIsForecastBeforeTheThreshold) {
  const uint32_t used = Used("/");
  for (int i = 0; i < 60; ++i) Tick({{used, i / 72.0}});
  ASSERT_THAT(sink_.Story(), ::testing::Contains("opened P2 fill"));
  const v1::Symptom& symptom = sink_.edges[0].symptom;
  EXPECT_EQ(symptom.rule(), "fill");
  EXPECT_EQ(symptom.detector(), v1::DETECTOR_KIND_FORECAST);
  EXPECT_LT(symptom.evidence().value(), 0.7);
  const v1::TimeLeft& left = symptom.evidence().time_left();
  EXPECT_EQ(left.limit(), 1);
  EXPECT_LE(left.low().seconds(), left.middle().seconds());
  EXPECT_GT(left.middle().seconds(), 120);
  EXPECT_EQ(TimeOf(left.limit_at()),
            TimeOf(symptom.updated_at()) + DurationOf(left.middle()));
  EXPECT_GT(symptom.evidence().window_size(), 10);
  EXPECT_LE(symptom.evidence().window_size(), 60);
}

TEST_F(EndpointJudgeTest, ACounterResetIsNoEvent) {
  const uint32_t kills = Series("forewarn.memory.oom_kills");
  for (const double value : {120.0, 120.0, 0.0, 0.0, 0.0}) {
    Tick({{kills, value}});
  }
  EXPECT_THAT(sink_.Story(), IsEmpty());
  Tick({{kills, 1}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 oom"));
  for (int i = 0; i < 181; ++i) Tick({{kills, 1}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 oom", "cleared P3 oom"));
}

TEST_F(EndpointJudgeTest, AGatewayThatNeverAnswersIsNoFault) {
  const uint32_t loss = Series("forewarn.gateway.loss");
  for (int i = 0; i < 1000; ++i) Tick({{loss, 1}});
  EXPECT_THAT(sink_.Story(), IsEmpty());
}

TEST_F(EndpointJudgeTest, ANewBootArmsAnew) {
  const uint32_t loss = Series("forewarn.gateway.loss");
  const uint32_t uptime = Series("system.uptime", {}, "s");
  double up = 1000;
  for (int i = 0; i < 70; ++i) Tick({{loss, 0}, {uptime, up += 10}});
  up = 5;
  for (int i = 0; i < 300; ++i) Tick({{loss, 1}, {uptime, up += 10}});
  EXPECT_THAT(sink_.Story(), IsEmpty());
  for (int i = 0; i < 70; ++i) Tick({{loss, 0}, {uptime, up += 10}});
  for (int i = 0; i < 10; ++i) Tick({{loss, 1}, {uptime, up += 10}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P2 gateway"));
}

TEST_F(EndpointJudgeTest, PriorityFollowsTheClass) {
  profile_.endpoint_class = v1::ENDPOINT_CLASS_LAPTOP;
  Start();
  const uint32_t loss = Series("forewarn.gateway.loss");
  for (int i = 0; i < 70; ++i) Tick({{loss, 0}});
  for (int i = 0; i < 10; ++i) Tick({{loss, 1}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened INFO gateway"));
}

TEST_F(EndpointJudgeTest, IsQuietAfterTheStart) {
  const uint32_t load = Series("forewarn.load_per_core.1m");
  const uint32_t uptime = Series("system.uptime", {}, "s");
  double up = 0;
  for (int i = 0; i < 59; ++i) Tick({{load, 5}, {uptime, up += 10}});
  EXPECT_THAT(sink_.Story(), IsEmpty());
  Tick({{load, 5}, {uptime, up += 10}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P4 load"));
}

TEST_F(EndpointJudgeTest, ASeriesThatVanishesClearsItsSymptoms) {
  const uint32_t used = Used("/mnt/stick");
  const uint32_t load = Series("forewarn.load_per_core.1m");
  for (int i = 0; i < 10; ++i) Tick({{used, 0.95}, {load, 0}});
  for (int i = 0; i < 55; ++i) Tick({{load, 0}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 used"));
  for (int i = 0; i < 20; ++i) Tick({{load, 0}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 used", "cleared P3 used"));
}

TEST_F(EndpointJudgeTest, AnEndpointThatWasAwayKeepsItsSymptoms) {
  const uint32_t used = Used("/");
  for (int i = 0; i < 10; ++i) Tick({{used, 0.95}});
  Tick({{used, 0.95}}, absl::Hours(10));
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 used"));
}

TEST_F(EndpointJudgeTest, OddSamplesAreIgnored) {
  const uint32_t used = Used("/");
  for (int i = 0; i < 10; ++i) {
    Tick({{used, std::numeric_limits<double>::quiet_NaN()}, {999, 1}});
  }
  for (int i = 0; i < 10; ++i) Tick({{used, 0.95}}, absl::ZeroDuration());
  for (int i = 0; i < 10; ++i) Tick({{used, 0.95}}, -absl::Hours(1));
  EXPECT_THAT(sink_.Story(), IsEmpty());
}

TEST_F(EndpointJudgeTest, ANewProfileKeepsWhatStands) {
  const uint32_t used = Used("/");
  for (int i = 0; i < 10; ++i) Tick({{used, 0.95}});
  profile_.tags = {"kiosk"};
  profile_.endpoint_class = v1::ENDPOINT_CLASS_LAPTOP;
  judge_->SetProfile(profile_);
  EXPECT_EQ(judge_->Standing().size(), 1u);
  for (int i = 0; i < 10; ++i) Tick({{used, 0.85}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 used"));
  Tick({{used, 0.5}});
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 used", "cleared P3 used"));
}

TEST_F(EndpointJudgeTest, ARuleThatNoLongerAppliesEndsWhatItSaid) {
  ASSERT_THAT(
      rules_.Add("overrides: [{rule: used, tag: kiosk, disabled: true}]",
                 "o.yaml"),
      IsEmpty());
  Start();
  const uint32_t used = Used("/");
  for (int i = 0; i < 10; ++i) Tick({{used, 0.95}});
  profile_.tags = {"kiosk"};
  judge_->SetProfile(profile_);
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 used", "cleared P3 used"));
}

// A day of an endpoint with a fault in it.
std::vector<wire::Sample> DaySample(int i, std::mt19937& random) {
  std::normal_distribution<double> noise(0, 1);
  std::vector<wire::Sample> samples;
  const double used = 0.4 + i / 9000.0 + 0.001 * noise(random);
  samples.push_back({0, std::min(1.0, used)});
  samples.push_back({1, i < 4000 ? 3.0 : 4.0});
  samples.push_back({2, std::abs(noise(random)) * (i > 6000 ? 5 : 0.5)});
  return samples;
}

TEST_F(EndpointJudgeTest, TheSameSamplesGiveTheSameEdges) {
  const auto run = [this] {
    Start();
    sink_.edges.clear();
    now_ = absl::FromUnixSeconds(1'800'000'000);
    Used("/");
    Series("forewarn.memory.oom_kills");
    Series("forewarn.load_per_core.1m");
    std::mt19937 random(5);
    for (int i = 0; i < 8640; ++i) Tick(DaySample(i, random));
    std::vector<std::string> edges;
    for (const SymptomEdge& edge : sink_.edges) {
      edges.push_back(absl::StrCat(static_cast<int>(edge.kind),
                                   edge.symptom.SerializeAsString()));
    }
    return edges;
  };
  const std::vector<std::string> first = run();
  EXPECT_GT(first.size(), 3u);
  EXPECT_EQ(first, run());
}

TEST_F(EndpointJudgeTest, TheOrderInWhichSeriesAreNamedDoesNotMatter) {
  const uint32_t used = Used("/");
  const uint32_t free = Series("forewarn.filesystem.available",
                               {{"system.filesystem.mountpoint", "/"}}, "By");
  Tick({{used, 0.99}, {free, 1e9}});
  const std::vector<std::string> one = sink_.Story();
  Start();
  sink_.edges.clear();
  const uint32_t free2 = Series("forewarn.filesystem.available",
                                {{"system.filesystem.mountpoint", "/"}}, "By");
  const uint32_t used2 = Used("/");
  Tick({{free2, 1e9}, {used2, 0.99}});
  EXPECT_THAT(one, ElementsAre("opened P2 used"));
  EXPECT_EQ(one, sink_.Story());
}

TEST_F(EndpointJudgeTest, NoiseAloneOpensNothingThatWouldBeATicket) {
  std::vector<uint32_t> pressure;
  for (const char* kind : {"cpu", "io", "memory"}) {
    pressure.push_back(Series("forewarn.pressure.share",
                              {{"forewarn.pressure.resource", kind}}));
  }
  const uint32_t latency = Series("forewarn.disk.latency", {}, "s");
  std::mt19937 random(9);
  std::exponential_distribution<double> tail(1);
  std::normal_distribution<double> noise(0, 1);
  for (int i = 0; i < 2 * 8640; ++i) {
    // A nightly job of 20 minutes stirs everything.
    const double job = i % 8640 > 1000 && i % 8640 < 1120 ? 8 : 1;
    std::vector<wire::Sample> samples;
    for (const uint32_t one : pressure) {
      samples.push_back({one, 0.02 * job * tail(random)});
    }
    samples.push_back({latency, 0.004 * job * std::exp(0.5 * noise(random))});
    Tick(samples);
  }
  for (const SymptomEdge& edge : sink_.edges) {
    EXPECT_EQ(edge.symptom.priority(), v1::INFO) << edge.symptom.metric();
  }
}

TEST_F(EndpointJudgeTest, WhatUsersFeelAndLastsBecomesPlannedCare) {
  const uint32_t latency = Series("forewarn.disk.latency", {}, "s");
  std::mt19937 random(9);
  std::normal_distribution<double> noise(0, 1);
  // Two days are known before an anomaly alone may call anybody.
  for (int i = 0; i < 2 * 8640 + 30; ++i) {
    Tick({{latency, 0.004 * std::exp(0.2 * noise(random))}});
  }
  EXPECT_THAT(sink_.Story(), IsEmpty());
  for (int i = 0; i < 240; ++i) {
    Tick({{latency, 0.4 * std::exp(0.2 * noise(random))}});
  }
  ASSERT_THAT(sink_.Story(),
              ElementsAre("opened INFO anomaly", "updated P4 anomaly"));
  const v1::Symptom& symptom = sink_.edges[0].symptom;
  EXPECT_EQ(symptom.subsystem(), "disk");
  EXPECT_GE(symptom.evidence().score(), 0.45);
  EXPECT_LT(symptom.evidence().expected_high(), 0.4);
  EXPECT_THAT(symptom.explanation().key(),
              ::testing::AnyOf("rule.anomaly.jump.explanation",
                               "rule.anomaly.shift.explanation",
                               "rule.anomaly.level.explanation",
                               "rule.anomaly.hour.explanation"));
}

TEST_F(EndpointJudgeTest, AnAnomalyWeighsNoMoreThanTheRulesOfItsMetric) {
  // Packet loss is INFO on a laptop, whoever finds it.
  for (const v1::EndpointClass kind :
       {v1::ENDPOINT_CLASS_SERVER, v1::ENDPOINT_CLASS_LAPTOP}) {
    profile_.endpoint_class = kind;
    sink_.edges.clear();
    Start();
    const uint32_t loss = Series("forewarn.gateway.loss");
    std::mt19937 random(9);
    std::uniform_real_distribution<double> noise(0, 0.01);
    for (int i = 0; i < 2 * 8640 + 30; ++i) Tick({{loss, noise(random)}});
    for (int i = 0; i < 240; ++i) Tick({{loss, 0.4 + noise(random)}});
    std::set<v1::Priority> priorities;
    for (const SymptomEdge& edge : sink_.edges) {
      EXPECT_EQ(edge.symptom.rule(), "anomaly");
      priorities.insert(edge.symptom.priority());
    }
    if (kind == v1::ENDPOINT_CLASS_SERVER) {
      EXPECT_THAT(priorities, ElementsAre(v1::P4, v1::INFO));
    } else {
      EXPECT_THAT(priorities, ElementsAre(v1::INFO));
    }
  }
}

TEST_F(EndpointJudgeTest, WhatPartsFromItsPeersIsASymptomWithTheirMiddle) {
  PeerBoard board;
  const uint32_t kCount = 7;
  std::vector<std::unique_ptr<EndpointJudge>> judges;
  std::vector<std::unique_ptr<RecordingSink>> sinks;
  for (uint32_t i = 0; i < kCount; ++i) {
    EndpointProfile profile = profile_;
    profile.id = absl::StrCat("8f3b2c1d-0000-4000-8000-00000000001", i);
    sinks.push_back(std::make_unique<RecordingSink>());
    judges.push_back(std::make_unique<EndpointJudge>(profile, rules_,
                                                     *sinks.back(), &board));
    judges.back()->DefineSeries(0, {.metric = "forewarn.memory.used",
                                    .unit = "1",
                                    .digits = 4,
                                    .attributes = {}});
  }
  const auto run = [&](int minutes, double more) {
    for (int m = 0; m < minutes; ++m) {
      now_ += absl::Minutes(1);
      for (uint32_t i = 0; i < kCount; ++i) {
        const wire::Sample sample{0, 0.3 + 0.01 * i + (i == 2 ? more : 0)};
        judges[i]->Observe(now_, {&sample, 1});
      }
    }
  };
  const auto peers_of = [&](uint32_t i) {
    std::vector<v1::Symptom> found;
    for (const SymptomEdge& edge : sinks[i]->edges) {
      if (edge.symptom.detector() == v1::DETECTOR_KIND_PEER) {
        found.push_back(edge.symptom);
      }
    }
    return found;
  };
  run(300, 0);
  run(60, 0.3);
  ASSERT_EQ(peers_of(2).size(), 1u);
  const v1::Symptom symptom = peers_of(2)[0];
  EXPECT_EQ(symptom.rule(), "peer");
  EXPECT_EQ(symptom.priority(), v1::INFO);
  EXPECT_EQ(symptom.subsystem(), "memory");
  EXPECT_NEAR(symptom.evidence().value(), 0.62, 0.01);
  EXPECT_LT(symptom.evidence().expected_high(), 0.6);
  const auto& words = symptom.explanation().parameters();
  const auto peers =
      std::find_if(words.begin(), words.end(),
                   [](const v1::Parameter& p) { return p.name() == "peers"; });
  ASSERT_NE(peers, words.end());
  EXPECT_NEAR(peers->quantity().value(), 0.33, 0.02);
  // Stands over a restart, and clears.
  EXPECT_FALSE(judges[2]->Standing().empty());
  EndpointProfile profile = profile_;
  profile.id = "8f3b2c1d-0000-4000-8000-000000000012";
  auto restored =
      std::make_unique<EndpointJudge>(profile, rules_, *sinks[2], &board);
  restored->DefineSeries(0, {.metric = "forewarn.memory.used",
                             .unit = "1",
                             .digits = 4,
                             .attributes = {}});
  ASSERT_TRUE(restored->RestoreState(judges[2]->SaveState()).ok());
  judges[2] = std::move(restored);
  run(60, 0);
  ASSERT_EQ(peers_of(2).size(), 2u);
  EXPECT_TRUE(peers_of(2)[1].has_cleared_at());
  for (uint32_t i = 0; i < kCount; ++i) {
    if (i != 2) {
      EXPECT_THAT(peers_of(i), IsEmpty()) << i;
    }
  }
}

}  // namespace
}  // namespace forewarn::detect
