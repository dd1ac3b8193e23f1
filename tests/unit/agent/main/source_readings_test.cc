#include "agent/main/source_readings.h"

#include <atomic>
#include <memory>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;
using ::testing::SizeIs;

class CountingSource final : public Source {
 public:
  absl::string_view name() const override { return "counting"; }
  absl::Status Sample(const SampleTime&, ReadingSink& sink) override {
    sink.Accept("system.uptime", ++count_);
    if (count_ == 1) sink.Accept("forewarn.agent.series", 5);
    return absl::OkStatus();
  }

 private:
  int count_ = 0;
};

std::atomic<bool> hold = true;

class HangingSource final : public Source {
 public:
  absl::string_view name() const override { return "hanging"; }
  absl::Status Sample(const SampleTime&, ReadingSink&) override {
    while (hold) std::this_thread::yield();
    return absl::OkStatus();
  }
};

std::vector<std::unique_ptr<Source>> One(std::unique_ptr<Source> source) {
  std::vector<std::unique_ptr<Source>> sources;
  sources.push_back(std::move(source));
  return sources;
}

TEST(SourceReadingsTest, KeepsTheLatestOfEachSeries) {
  bool hung = true;
  const auto all = ReadSources(One(std::make_unique<CountingSource>()),
                               base::Clock::System(), 3, absl::ZeroDuration(),
                               absl::Seconds(30), &hung);
  EXPECT_FALSE(hung);
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_THAT(all[0].status, IsOk());
  ASSERT_THAT(all[0].readings, SizeIs(2));
  EXPECT_EQ(all[0].readings[0].value, 3);
  EXPECT_EQ(all[0].readings[1].value, 5);
}

TEST(SourceReadingsTest, GivesUpASourceThatHangs) {
  bool hung = false;
  const auto all =
      ReadSources(One(std::make_unique<HangingSource>()), base::Clock::System(),
                  2, absl::ZeroDuration(), absl::Milliseconds(30), &hung);
  EXPECT_TRUE(hung);
  EXPECT_THAT(all[0].status, StatusIs(absl::StatusCode::kDeadlineExceeded));
  hold = false;
}

}  // namespace
}  // namespace forewarn::agent
