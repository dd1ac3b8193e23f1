#include "agent/sources/systemd_source.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;

using Answer = absl::StatusOr<ServiceManagerState>;

class FakeManager final : public ServiceManager {
 public:
  explicit FakeManager(const Answer* answer) : answer_(answer) {}
  absl::StatusOr<ServiceManagerState> Read() override { return *answer_; }

 private:
  const Answer* const answer_;
};

class SystemdSourceTest : public ::testing::Test {
 protected:
  absl::Status Sample(ServiceManagerState state) {
    sink_.Clear();
    answer_ = std::move(state);
    return source_.Sample({absl::FromUnixSeconds(50), absl::Hours(1)}, sink_);
  }
  double Failed(const std::string& unit) {
    return sink_.Value(absl::StrCat(
        "forewarn.systemd.unit.failed{systemd.unit.name=", unit, "}"));
  }

  Answer answer_;
  SystemdSource source_{std::make_unique<FakeManager>(&answer_)};
  RecordingSink sink_{"systemd"};
};

TEST_F(SystemdSourceTest, ReadsStateJobsAndRestarts) {
  FOREWARN_ASSERT_OK(
      Sample({.system_state = "running",
              .jobs = 3,
              .failed = {},
              .restarts = {{"web.service", 4}, {"db.service", 0}}}));
  EXPECT_EQ(sink_.Value("forewarn.systemd.running"), 1);
  EXPECT_EQ(sink_.Value("forewarn.systemd.jobs"), 3);
  EXPECT_EQ(sink_.Value("forewarn.systemd.units.failed"), 0);
  EXPECT_EQ(sink_.Value("forewarn.systemd.unit.restarts{systemd.unit.name="
                        "web.service}"),
            4);
  EXPECT_EQ(sink_.Count("forewarn.systemd.unit.restarts"), 1);
  EXPECT_EQ(sink_.Count("forewarn.systemd.unit.failed"), 0);
}

TEST_F(SystemdSourceTest, StartingIsWellStoppingIsNoVerdict) {
  FOREWARN_ASSERT_OK(Sample({.system_state = "starting"}));
  EXPECT_EQ(sink_.Value("forewarn.systemd.running"), 1);
  FOREWARN_ASSERT_OK(Sample({.system_state = "degraded"}));
  EXPECT_EQ(sink_.Value("forewarn.systemd.running"), 0);
  FOREWARN_ASSERT_OK(Sample({.system_state = "maintenance"}));
  EXPECT_EQ(sink_.Value("forewarn.systemd.running"), 0);
  FOREWARN_ASSERT_OK(Sample({.system_state = "stopping"}));
  EXPECT_FALSE(sink_.Has("forewarn.systemd.running"));
}

TEST_F(SystemdSourceTest, AUnitThatFailsIsAnEventOnceAndAStateUntilWell) {
  FOREWARN_ASSERT_OK(Sample({.system_state = "running"}));
  FOREWARN_ASSERT_OK(
      Sample({.system_state = "degraded", .failed = {"web.service"}}));
  EXPECT_EQ(Failed("web.service"), 1);
  EXPECT_EQ(sink_.Value("forewarn.systemd.units.failed"), 1);
  ASSERT_EQ(sink_.events.size(), 1u);
  EXPECT_EQ(sink_.events[0].name(), "forewarn.event.unit_failed");
  EXPECT_EQ(sink_.events[0].message(), "web.service failed");
  EXPECT_EQ(sink_.events[0].attributes(0).key(), "systemd.unit.name");

  FOREWARN_ASSERT_OK(
      Sample({.system_state = "degraded", .failed = {"web.service"}}));
  EXPECT_EQ(Failed("web.service"), 1);
  EXPECT_TRUE(sink_.events.empty());

  FOREWARN_ASSERT_OK(Sample({.system_state = "running"}));
  EXPECT_EQ(Failed("web.service"), 0);

  FOREWARN_ASSERT_OK(
      Sample({.system_state = "degraded", .failed = {"web.service"}}));
  EXPECT_EQ(sink_.events.size(), 1u);
}

TEST_F(SystemdSourceTest, WhatFailedBeforeTheAgentRanIsNoEvent) {
  FOREWARN_ASSERT_OK(
      Sample({.system_state = "degraded", .failed = {"old.service"}}));
  EXPECT_EQ(Failed("old.service"), 1);
  EXPECT_TRUE(sink_.events.empty());
}

TEST_F(SystemdSourceTest, UnitsAreBoundedAndTheirNamesCleaned) {
  ServiceManagerState state = {.system_state = "degraded"};
  state.failed.push_back(std::string(300, 'a') + "\n");
  for (int i = 0; i < 300; ++i) {
    state.failed.push_back(absl::StrCat("u", i, ".service"));
    state.restarts.emplace_back(absl::StrCat("r", i, ".service"), 1);
  }
  FOREWARN_ASSERT_OK(Sample(state));
  EXPECT_EQ(sink_.Count("forewarn.systemd.unit.failed"), 200);
  EXPECT_EQ(sink_.Count("forewarn.systemd.unit.restarts"), 200);
  EXPECT_EQ(sink_.Value("forewarn.systemd.units.failed"), 301);

  // Others fail later: those that are well make room.
  FOREWARN_ASSERT_OK(
      Sample({.system_state = "degraded", .failed = {"late.service"}}));
  EXPECT_EQ(sink_.Count("forewarn.systemd.unit.failed"), 200);
  EXPECT_EQ(Failed("late.service"), 1);
}

TEST_F(SystemdSourceTest, WithoutSystemdItIsQuiet) {
  answer_ = absl::NotFoundError("systemd does not run");
  EXPECT_THAT(source_.Sample({}, sink_), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(sink_.readings.empty());
}

TEST(SystemdManagerTest, AnswersOrIsNotFound) {
  // With systemd on the machine an answer, else that there is none.
  const auto manager = MakeSystemdManager();
  const absl::StatusOr<ServiceManagerState> state = manager->Read();
  if (state.ok()) {
    EXPECT_FALSE(state->system_state.empty());
  } else {
    EXPECT_THAT(state, StatusIs(absl::StatusCode::kNotFound));
  }
}

}  // namespace
}  // namespace forewarn::agent
