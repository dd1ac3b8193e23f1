#include "agent/batcher/batcher.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/wire/metric_catalog.h"

namespace forewarn::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

// Keeps batches, with the series' names in place of numbers.
class RecordingBatches final : public BatchSink {
 public:
  void Accept(wire::Batch batch,
              const wire::SeriesDictionary& dictionary) override {
    for (const wire::Tick& tick : batch.ticks) {
      for (const wire::Sample& sample : tick.samples) {
        const wire::SeriesDefinition& series =
            dictionary.definition(sample.series);
        samples.push_back(
            absl::StrCat(wire::SeriesName(series.metric, series.attributes),
                         " ", sample.value));
        definitions.push_back(series);
      }
    }
    batches.push_back(std::move(batch));
  }

  std::vector<wire::Batch> batches;
  std::vector<std::string> samples;
  std::vector<wire::SeriesDefinition> definitions;
};

class BatcherTest : public ::testing::Test {
 protected:
  void Tick(int second, absl::Duration tick = absl::Seconds(10)) {
    batcher_.BeginTick(kStart + absl::Seconds(second));
    batcher_.Accept("system.uptime", second);
    batcher_.EndTick(tick);
  }

  RecordingBatches sink_;
  Batcher::Options options_{.max_series = 5,
                            .max_age = absl::Seconds(5),
                            .max_samples = 1000,
                            .max_events = 3};
  Batcher batcher_{options_, sink_};
};

TEST_F(BatcherTest, MakesABatchOfEachTickAtTheUsualPace) {
  Tick(0);
  Tick(10);
  ASSERT_THAT(sink_.batches, SizeIs(2));
  EXPECT_EQ(sink_.batches[1].ticks[0].time, kStart + absl::Seconds(10));
}

TEST_F(BatcherTest, PutsShortTicksTogetherUpToTheAge) {
  for (int second = 0; second < 12; ++second) Tick(second, absl::Seconds(1));
  ASSERT_THAT(sink_.batches, SizeIs(2));
  EXPECT_THAT(sink_.batches[0].ticks, SizeIs(6));
}

TEST_F(BatcherTest, TakesUnitKindAndDigitsFromTheCatalogue) {
  const wire::MetricInfo* info = wire::FindMetric("system.uptime");
  ASSERT_NE(info, nullptr);
  Tick(0);
  ASSERT_THAT(sink_.definitions, SizeIs(1));
  EXPECT_EQ(sink_.definitions[0].unit, info->unit);
  EXPECT_EQ(sink_.definitions[0].kind, info->kind);
  EXPECT_EQ(sink_.definitions[0].digits, info->digits);
}

TEST_F(BatcherTest, RefusesWhatTheCatalogueDoesNotHave) {
  batcher_.BeginTick(kStart);
  batcher_.Accept("no.such.metric", 1);
  batcher_.Accept("system.uptime", {{"surprising", "attribute"}}, 1);
  batcher_.Accept("system.cpu.utilization", 1);  // attributes missing
  batcher_.Accept("system.uptime", std::numeric_limits<double>::quiet_NaN());
  batcher_.Accept("system.uptime", 7);
  batcher_.EndTick(absl::Seconds(10));
  EXPECT_THAT(sink_.samples, ElementsAre("system.uptime 7"));
  EXPECT_EQ(batcher_.refused(), 4u);
}

TEST_F(BatcherTest, RefusesHostileAttributeValues) {
  batcher_.BeginTick(kStart);
  batcher_.Accept("forewarn.agent.source.age", {{"forewarn.source", "a\nb"}},
                  1);
  batcher_.Accept("forewarn.agent.source.age",
                  {{"forewarn.source", std::string(300, 'x')}}, 1);
  batcher_.EndTick(absl::Seconds(10));
  EXPECT_THAT(sink_.samples, IsEmpty());
  EXPECT_EQ(batcher_.refused(), 2u);
}

TEST_F(BatcherTest, KeepsTheLaterOfTwoReadingsOfATick) {
  batcher_.BeginTick(kStart);
  batcher_.Accept("system.uptime", 1);
  batcher_.Accept("system.uptime", 2);
  batcher_.EndTick(absl::Seconds(10));
  EXPECT_THAT(sink_.samples, ElementsAre("system.uptime 2"));
}

TEST_F(BatcherTest, TellsSeriesOfOneMetricApart) {
  batcher_.BeginTick(kStart);
  batcher_.Accept("forewarn.agent.source.age", {{"forewarn.source", "a"}}, 1);
  batcher_.Accept("forewarn.agent.source.age",
                  wire::Attributes{{"forewarn.source", "b"}}, 2);
  batcher_.EndTick(absl::Seconds(10));
  EXPECT_THAT(sink_.samples,
              ElementsAre("forewarn.agent.source.age{forewarn.source=a} 1",
                          "forewarn.agent.source.age{forewarn.source=b} 2"));
}

TEST_F(BatcherTest, BoundsTheSeriesAndLetsNewOnesInAfterAnHour) {
  const auto tick = [&](int second, const std::string& source) {
    batcher_.BeginTick(kStart + absl::Seconds(second));
    batcher_.Accept("forewarn.agent.source.age", {{"forewarn.source", source}},
                    1);
    batcher_.EndTick(absl::Seconds(10));
  };
  for (int i = 0; i < 5; ++i) tick(i * 10, absl::StrCat("short-lived-", i));
  tick(60, "late");
  EXPECT_THAT(sink_.samples, SizeIs(5));
  EXPECT_EQ(batcher_.series(), 5u);
  tick(3700, "late");
  tick(3710, "late");
  EXPECT_EQ(sink_.samples.back(),
            "forewarn.agent.source.age{forewarn.source=late} 1");
}

TEST_F(BatcherTest, HandsEventsOnAtOnceAndBoundsThem) {
  batcher_.BeginTick(kStart);
  for (int i = 0; i < 5; ++i) {
    v1::Event event;
    event.set_name("forewarn.event.oom_kill");
    event.set_message(std::string(10000, 'm'));
    batcher_.AcceptEvent(event);
  }
  batcher_.EndTick(absl::Seconds(1));
  ASSERT_THAT(sink_.batches, SizeIs(1));
  EXPECT_THAT(sink_.batches[0].events, SizeIs(3));
  EXPECT_EQ(sink_.batches[0].events[0].message().size(), 4096u);
  EXPECT_EQ(batcher_.refused(), 2u);
}

TEST_F(BatcherTest, HandsOnWhenTheWallClockIsSetBack) {
  Tick(100, absl::Seconds(1));
  EXPECT_THAT(sink_.batches, IsEmpty());
  Tick(50, absl::Seconds(1));
  EXPECT_THAT(sink_.batches, SizeIs(1));
}

TEST_F(BatcherTest, FlushHandsOnWhatThereIs) {
  Tick(0, absl::Seconds(1));
  batcher_.Flush();
  EXPECT_THAT(sink_.batches, SizeIs(1));
  batcher_.Flush();
  EXPECT_THAT(sink_.batches, SizeIs(1));
}

}  // namespace
}  // namespace forewarn::agent
