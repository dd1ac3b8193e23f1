#include "agent/sampler/source_thread.h"

#include <memory>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::FakeClock;

class TalkativeSource final : public Source {
 public:
  explicit TalkativeSource(int readings) : readings_(readings) {}
  absl::string_view name() const override { return "talkative"; }
  absl::Status Sample(const SampleTime&, ReadingSink& sink) override {
    for (int i = 0; i < readings_; ++i) {
      sink.Accept("forewarn.agent.source.age", {{"forewarn.source", "x"}}, i);
      sink.AcceptEvent({});
      sink.AcceptProcesses({});
    }
    return absl::InternalError("and then it broke");
  }

 private:
  const int readings_;
};

SourceThread::Result ReadOnce(SourceThread& thread) {
  EXPECT_TRUE(thread.Ask({}));
  std::optional<SourceThread::Result> result;
  while (!result.has_value()) {
    std::this_thread::yield();
    result = thread.Take();
  }
  return *std::move(result);
}

TEST(SourceThreadTest, KeepsWhatWasReadBeforeAnError) {
  FakeClock clock;
  SourceThread thread(std::make_unique<TalkativeSource>(3), clock);
  const SourceThread::Result result = ReadOnce(thread);
  EXPECT_EQ(result.kept.readings.size(), 3u);
  EXPECT_EQ(result.kept.readings[2].value, 2);
  EXPECT_EQ(result.kept.readings[2].attributes[0].second, "x");
  EXPECT_EQ(result.status.code(), absl::StatusCode::kInternal);
}

TEST(SourceThreadTest, BoundsWhatItKeeps) {
  FakeClock clock;
  SourceThread thread(std::make_unique<TalkativeSource>(20000), clock);
  const SourceThread::Result result = ReadOnce(thread);
  EXPECT_EQ(result.kept.readings.size(), 10000u);
  EXPECT_EQ(result.kept.events.size(), 1000u);
  EXPECT_EQ(result.kept.processes.size(), 100u);
  EXPECT_EQ(result.kept.refused, 10000u + 19000u + 19900u);
}

TEST(SourceThreadTest, AsksForNothingNewBeforeTheLastIsTaken) {
  FakeClock clock;
  SourceThread thread(std::make_unique<TalkativeSource>(1), clock);
  ASSERT_TRUE(thread.Ask({}));
  EXPECT_FALSE(thread.Ask({}));
  std::optional<SourceThread::Result> result;
  while (!result.has_value()) {
    std::this_thread::yield();
    result = thread.Take();
  }
  EXPECT_TRUE(thread.Ask({}));
}

TEST(SourceThreadTest, EndsWhenStopped) {
  FakeClock clock;
  SourceThread thread(std::make_unique<TalkativeSource>(1), clock);
  ReadOnce(thread);
  thread.Stop();
  EXPECT_TRUE(thread.Join(absl::Seconds(30)));
}

}  // namespace
}  // namespace forewarn::agent
