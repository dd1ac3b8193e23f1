// An endpoint that goes: stopped, killed, frozen.

#include <signal.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/installation.h"
#include "tests/support/wait_until.h"

namespace forewarn::e2e {
namespace {

using ::forewarn::testing::WaitUntil;
using ::testing::SizeIs;

class SilenceTest : public ::testing::Test {
 protected:
  SilenceTest()
      : installation_(
            "silence: {lost_after: 5s, stopped_after: 8s}\n"
            "correlation: {quiet: 1s}\n") {}

  std::vector<v1::Ticket> Silent() {
    std::vector<v1::Ticket> found;
    for (const v1::Ticket& ticket : installation_.Tickets()) {
      if (ticket.title().key().rfind("rule.agent_", 0) == 0) {
        found.push_back(ticket);
      }
    }
    return found;
  }
  bool Opens(v1::Priority priority) {
    return WaitUntil(
        [&] {
          const auto tickets = Silent();
          return tickets.size() == 1 && tickets[0].priority() == priority &&
                 tickets[0].state() == v1::NEW;
        },
        absl::Seconds(40));
  }
  bool Closes() {
    return WaitUntil(
        [&] {
          const auto tickets = Silent();
          return tickets.size() == 1 && tickets[0].state() == v1::RESOLVED;
        },
        absl::Seconds(40));
  }

  Installation installation_;
};

TEST_F(SilenceTest, AKilledAgentIsOneUrgentTicketThatClosesWhenItIsBack) {
  ASSERT_NO_FATAL_FAILURE(installation_.StartAll());
  installation_.agent().Signal(SIGKILL);
  installation_.agent().Wait();
  ASSERT_TRUE(Opens(v1::P2)) << installation_.Logs();
  ASSERT_NO_FATAL_FAILURE(installation_.StartAgent());
  ASSERT_TRUE(Closes()) << installation_.Logs();
}

TEST_F(SilenceTest, AFrozenAgentIsLostThoughItsStreamStands) {
  ASSERT_NO_FATAL_FAILURE(installation_.StartAll());
  installation_.agent().Signal(SIGSTOP);
  ASSERT_TRUE(Opens(v1::P2)) << installation_.Logs();
  installation_.agent().Signal(SIGCONT);
  ASSERT_TRUE(Closes()) << installation_.Logs();
}

TEST_F(SilenceTest, AStoppedAgentSaysSoIsLessUrgentAndClosesWhenItIsBack) {
  ASSERT_NO_FATAL_FAILURE(installation_.StartAll());
  installation_.agent().Signal(SIGTERM);
  EXPECT_EQ(installation_.agent().Wait(), 0);
  ASSERT_TRUE(WaitUntil([this] {
    const auto endpoints = installation_.Endpoints();
    return endpoints.size() == 1 &&
           endpoints[0].presence() == v1::PRESENCE_STOPPED;
  })) << installation_.Logs();
  ASSERT_TRUE(Opens(v1::P3)) << installation_.Logs();
  ASSERT_NO_FATAL_FAILURE(installation_.StartAgent());
  ASSERT_TRUE(Closes()) << installation_.Logs();
}

}  // namespace
}  // namespace forewarn::e2e
