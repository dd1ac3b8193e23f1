#include "agent/sampler/sampler.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::FakeClock;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CountingBatches final : public BatchSink {
 public:
  void Accept(wire::Batch batch, const wire::SeriesDictionary&) override {
    for (wire::Tick& tick : batch.ticks) ticks.push_back(std::move(tick));
  }
  std::vector<wire::Tick> ticks;
};

// Says when it was read; fails, blocks or takes time when told to.
class ScriptedSource final : public Source {
 public:
  struct Script {
    std::string name = "scripted";
    absl::Duration interval{};
    bool blocks = false;
    std::vector<absl::Duration>* read_at = nullptr;
    FakeClock* clock = nullptr;
    absl::Duration takes{};
    absl::Status status{};
    std::atomic<bool>* held = nullptr;  // waits while true
  };
  explicit ScriptedSource(Script script) : script_(std::move(script)) {}

  absl::string_view name() const override { return script_.name; }
  absl::Duration interval() const override { return script_.interval; }
  bool may_block() const override { return script_.blocks; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override {
    if (script_.read_at != nullptr) {
      script_.read_at->push_back(now.since_boot - absl::Hours(1));
    }
    if (script_.held != nullptr) {
      while (*script_.held) std::this_thread::yield();
    }
    if (script_.clock != nullptr) script_.clock->Advance(script_.takes);
    sink.Accept("forewarn.agent.source.age",
                {{"forewarn.source", script_.name}}, 1);
    return script_.status;
  }

 private:
  const Script script_;
};

class SamplerTest : public ::testing::Test {
 protected:
  void Add(ScriptedSource::Script script) {
    sources_.push_back(std::make_unique<ScriptedSource>(std::move(script)));
  }
  Sampler& sampler() {
    if (sampler_ == nullptr) {
      sampler_ = std::make_unique<Sampler>(
          clock_, std::move(sources_), batcher_, stats_,
          Sampler::Options{
              .tick = absl::Seconds(10),
              .before_tick = {},
              .on_resume = [this](absl::Duration d) { slept_.push_back(d); }});
    }
    return *sampler_;
  }
  // Runs the schedule for so long, in steps as the loop would take.
  void RunFor(absl::Duration duration) {
    const absl::Duration end = clock_.SinceBoot() + duration;
    while (clock_.SinceBoot() < end) {
      const absl::Duration left = sampler().Turn();
      clock_.Advance(std::min(left, end - clock_.SinceBoot()));
    }
  }

  FakeClock clock_;
  CountingBatches sink_;
  Batcher batcher_{{}, sink_};
  AgentStats stats_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<absl::Duration> slept_;
  std::unique_ptr<Sampler> sampler_;
};

TEST_F(SamplerTest, ReadsAtEachTickAndAtLongerIntervals) {
  std::vector<absl::Duration> quick, slow;
  Add({
      .name = "quick",
      .read_at = &quick,
  });
  Add({.name = "slow", .interval = absl::Seconds(30), .read_at = &slow});
  RunFor(absl::Seconds(65));
  EXPECT_THAT(
      quick, ElementsAre(absl::Seconds(0), absl::Seconds(10), absl::Seconds(20),
                         absl::Seconds(30), absl::Seconds(40),
                         absl::Seconds(50), absl::Seconds(60)));
  EXPECT_THAT(slow, ElementsAre(absl::Seconds(0), absl::Seconds(30),
                                absl::Seconds(60)));
}

TEST_F(SamplerTest, DoesNotDriftWhenReadingTakesTime) {
  std::vector<absl::Duration> read;
  Add({.read_at = &read, .clock = &clock_, .takes = absl::Seconds(3)});
  RunFor(absl::Seconds(35));
  EXPECT_THAT(read, ElementsAre(absl::Seconds(0), absl::Seconds(10),
                                absl::Seconds(20), absl::Seconds(30)));
}

TEST_F(SamplerTest, SkipsMissedTicksInsteadOfMakingUpForThem) {
  std::vector<absl::Duration> read;
  Add({.read_at = &read});
  sampler().Turn();
  clock_.Advance(absl::Seconds(47));
  EXPECT_EQ(sampler().Turn(), absl::Seconds(3));
  EXPECT_THAT(read, ElementsAre(absl::Seconds(0), absl::Seconds(47)));
}

TEST_F(SamplerTest, IgnoresJumpsOfTheWallClock) {
  std::vector<absl::Duration> read;
  Add({.read_at = &read});
  sampler().Turn();
  clock_.Jump(absl::Hours(-5));
  EXPECT_EQ(sampler().Turn(), absl::Seconds(10));
  clock_.Jump(absl::Hours(50));
  EXPECT_EQ(sampler().Turn(), absl::Seconds(10));
  EXPECT_THAT(read, SizeIs(1));
}

TEST_F(SamplerTest, BurstsForAWhileAndGoesBack) {
  std::vector<absl::Duration> read;
  Add({.read_at = &read});
  sampler().Turn();
  sampler().SetPace(absl::Seconds(1), absl::Seconds(5));
  EXPECT_EQ(sampler().tick(), absl::Seconds(1));
  RunFor(absl::Seconds(5));
  EXPECT_THAT(read, SizeIs(5));  // 0 to 4 s
  EXPECT_EQ(sampler().tick(), absl::Seconds(10));
  RunFor(absl::Seconds(20));
  EXPECT_THAT(read, SizeIs(::testing::Le(8u)));
}

TEST_F(SamplerTest, KeepsANewTickUntilToldAgain) {
  std::vector<absl::Duration> read;
  Add({.read_at = &read});
  sampler().Turn();
  sampler().SetPace(absl::Seconds(60), absl::ZeroDuration());
  RunFor(absl::Seconds(130));
  // The tick under way is kept.
  EXPECT_THAT(read, ElementsAre(absl::Seconds(0), absl::Seconds(10),
                                absl::Seconds(70)));
}

TEST_F(SamplerTest, AStretchedTickIsLongerButABurstIsABurst) {
  std::vector<absl::Duration> read;
  Add({.read_at = &read});
  sampler().Turn();
  sampler().SetStretch(3);
  EXPECT_EQ(sampler().tick(), absl::Seconds(30));
  RunFor(absl::Seconds(75));
  EXPECT_THAT(read, ElementsAre(absl::Seconds(0), absl::Seconds(10),
                                absl::Seconds(40), absl::Seconds(70)));
  sampler().SetPace(absl::Seconds(1), absl::Seconds(5));
  EXPECT_EQ(sampler().tick(), absl::Seconds(1));
  sampler().SetStretch(1);
  RunFor(absl::Seconds(10));
  EXPECT_EQ(sampler().tick(), absl::Seconds(10));
}

TEST_F(SamplerTest, HoldsAnAbsurdPaceWithinBounds) {
  sampler().SetPace(absl::Milliseconds(1), absl::ZeroDuration());
  EXPECT_EQ(sampler().tick(), absl::Seconds(1));
  sampler().SetPace(absl::Hours(1000), absl::ZeroDuration());
  EXPECT_EQ(sampler().tick(), absl::Hours(1));
}

TEST_F(SamplerTest, CountsAFailingSourceAndReadsTheOthers) {
  std::vector<absl::Duration> read;
  Add({.name = "broken", .status = absl::InternalError("no luck")});
  Add({
      .name = "fine",
      .read_at = &read,
  });
  RunFor(absl::Seconds(25));
  EXPECT_THAT(read, SizeIs(3));
  const auto sources = stats_.sources();
  ASSERT_THAT(sources, SizeIs(2));
  EXPECT_EQ(sources[0].first, "broken");
  EXPECT_EQ(sources[0].second.failures, 3u);
  EXPECT_EQ(sources[1].second.failures, 0u);
  EXPECT_EQ(sources[1].second.last_good, absl::Hours(1) + absl::Seconds(20));
}

TEST_F(SamplerTest, NothingOfThisKindIsNoFailure) {
  Add({.name = "absent", .status = absl::NotFoundError("no battery")});
  Add({.name = "elsewhere",
       .status = absl::UnimplementedError("not on this platform")});
  RunFor(absl::Seconds(25));
  EXPECT_THAT(stats_.sources(), IsEmpty());
}

TEST_F(SamplerTest, ASourceThatBlocksDelaysNoOther) {
  std::atomic<bool> held = true;
  std::vector<absl::Duration> read;
  Add({.name = "stuck", .blocks = true, .held = &held});
  Add({
      .name = "fine",
      .read_at = &read,
  });
  RunFor(absl::Seconds(45));
  EXPECT_THAT(read, SizeIs(5));
  for (const wire::Tick& tick : sink_.ticks) {
    EXPECT_THAT(tick.samples, SizeIs(1));
  }
  // Its age grows where all can see it.
  EXPECT_EQ(stats_.sources().back().first, "stuck");
  EXPECT_EQ(stats_.sources().back().second.last_good, absl::Hours(1));

  held = false;
  // What it read goes into a tick that follows.
  for (int i = 0; i < 100000 && sink_.ticks.back().samples.size() < 2; ++i) {
    std::this_thread::yield();
    RunFor(absl::Seconds(10));
  }
  EXPECT_THAT(sink_.ticks.back().samples, SizeIs(2));
}

TEST_F(SamplerTest, StopDoesNotWaitForeverForASourceThatHangs) {
  // Outlive the test, as the source's thread may.
  static std::atomic<bool> held = true;
  static FakeClock* const clock = new FakeClock;
  Add({.name = "hangs", .blocks = true, .held = &held});
  Sampler sampler(*clock, std::move(sources_), batcher_, stats_, {});
  sampler.Turn();
  EXPECT_FALSE(sampler.Stop(absl::ZeroDuration()));
  held = false;
}

TEST_F(SamplerTest, NoticesThatTheMachineSlept) {
  sampler().Turn();
  clock_.Advance(absl::Seconds(5));
  clock_.Sleep(absl::Minutes(90));
  sampler().Turn();
  EXPECT_THAT(slept_, ElementsAre(absl::Minutes(90)));
  sampler().Turn();
  EXPECT_THAT(slept_, SizeIs(1));
}

TEST_F(SamplerTest, SamplesOnItsOwnThreadUntilStopped) {
  std::atomic<int> count = 0;
  class Counter final : public Source {
   public:
    explicit Counter(std::atomic<int>& reads) : reads_(reads) {}
    absl::string_view name() const override { return "counter"; }
    absl::Status Sample(const SampleTime&, ReadingSink&) override {
      ++reads_;
      return absl::OkStatus();
    }

   private:
    std::atomic<int>& reads_;
  };
  sources_.push_back(std::make_unique<Counter>(count));
  sampler().Start();
  while (count == 0) std::this_thread::yield();
  EXPECT_TRUE(sampler().Stop(absl::Seconds(10)));
  EXPECT_GE(count, 1);
}

}  // namespace
}  // namespace forewarn::agent
