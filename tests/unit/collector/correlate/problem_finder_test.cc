#include "collector/correlate/problem_finder.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "collector/correlate/memory_incidents.h"
#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "tests/support/memory_problems.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/collector/correlate/symptom_maker.h"

namespace forewarn::correlate {
namespace {

using ::forewarn::testing::FixedCohorts;
using ::forewarn::testing::kNoon;
using ::forewarn::testing::MemoryProblems;
using ::forewarn::testing::SymptomMaker;
using Kind = ProblemChange::Kind;

// 1,000 endpoints e0..e999: a tenth at each of ten sites (the last digit), a
// fiftieth of each of fifty models (the last two digits, halved).
class ProblemFinderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 1000; ++i) {
      cohorts_.Add(absl::StrCat("e", i),
                   {{"model", absl::StrCat("m", i % 100 / 2)},
                    {"os", "Debian GNU/Linux 12"},
                    {"site", absl::StrCat("s", i % 10)}});
    }
    MakeFinder();
  }
  void MakeFinder() {
    finder_ = std::make_unique<ProblemFinder>(ProblemOptions(), problems_,
                                              incidents_, cohorts_);
    FOREWARN_ASSERT_OK(finder_->Load(now_, problems_));
  }

  // An incident opens at endpoint `i`; its number.
  uint32_t Open(int i, const std::string& rule = "dns_failing",
                const std::string& subsystem = "network",
                v1::Priority priority = v1::P3) {
    IncidentChange change;
    change.kind = IncidentChange::Kind::kOpened;
    change.incident.set_endpoint_id(absl::StrCat("e", i));
    change.symptoms = {SymptomMaker{.endpoint = absl::StrCat("e", i),
                                    .rule = rule,
                                    .subsystem = subsystem,
                                    .priority = priority,
                                    .opened = now_}
                           .Make()};
    const auto stored = incidents_.Accept(change);
    EXPECT_THAT(stored, testing::IsOk());
    problems_.endpoint_of[stored->id()] = stored->endpoint_id();
    FOREWARN_EXPECT_OK(finder_->Observe(change, *stored, now_, problems_));
    return stored->id();
  }
  // A further symptom of an incident that is there.
  void Join(uint32_t incident, int i, const std::string& rule,
            const std::string& subsystem, v1::Priority priority = v1::P3) {
    IncidentChange change;
    change.kind = IncidentChange::Kind::kJoined;
    change.incident.set_id(incident);
    change.incident.set_endpoint_id(absl::StrCat("e", i));
    change.symptoms = {SymptomMaker{.endpoint = absl::StrCat("e", i),
                                    .rule = rule,
                                    .subsystem = subsystem,
                                    .priority = priority,
                                    .opened = now_}
                           .Make()};
    FOREWARN_EXPECT_OK(
        finder_->Observe(change, change.incident, now_, problems_));
  }
  void Close(uint32_t incident) {
    IncidentChange change;
    change.kind = IncidentChange::Kind::kResolved;
    change.incident.set_id(incident);
    FOREWARN_EXPECT_OK(
        finder_->Observe(change, change.incident, now_, problems_));
  }

  absl::Time now_ = kNoon;
  FixedCohorts cohorts_;
  MemoryIncidents incidents_;
  MemoryProblems problems_;
  std::unique_ptr<ProblemFinder> finder_;
};

TEST_F(ProblemFinderTest, FiveOfASiteAtOnceAreOneProblem) {
  for (int i = 0; i < 4; ++i) Open(3 + 10 * i);
  EXPECT_TRUE(problems_.problems.empty());
  Open(3 + 10 * 4);
  ASSERT_EQ(problems_.problems.size(), 1u);
  const v1::Problem& problem = problems_.problems[1];
  EXPECT_EQ(problem.symptom(), "dns_failing");
  EXPECT_EQ(problem.subsystem(), "network");
  EXPECT_EQ(problem.factor_kind(), "site");
  EXPECT_EQ(problem.factor(), "s3");
  EXPECT_EQ(problem.factor_share(), 1);
  EXPECT_NEAR(problem.lift(), 10, 0.01);
  EXPECT_EQ(problem.members(), 5u);
  EXPECT_EQ(problems_.problem_changes[0].incidents.size(), 5u);
}

TEST_F(ProblemFinderTest, FiveAllOverALargeFleetAreChance) {
  for (const int i : {0, 101, 222, 343, 464, 585, 706}) Open(i);
  EXPECT_TRUE(problems_.problems.empty());
}

TEST_F(ProblemFinderTest, ThreePercentOfTheFleetAreAProblemWithoutAFactor) {
  for (int i = 0; i < 30; ++i) Open(i * 31);
  ASSERT_EQ(problems_.problems.size(), 1u);
  EXPECT_EQ(problems_.problems[1].factor(), "");
  Open(999);
  EXPECT_EQ(problems_.problems[1].members(), 31u);
}

TEST_F(ProblemFinderTest, TheSamePaceOverHoursIsNoProblem) {
  for (int i = 0; i < 12; ++i) {
    Open(3 + 10 * i);
    now_ += absl::Minutes(16);
  }
  EXPECT_TRUE(problems_.problems.empty());
}

TEST_F(ProblemFinderTest, AnUpdateThatSpreadsOverHoursIsFoundInItsCohort) {
  // Model m7 has twenty endpoints; one falls ill every half an hour.
  for (const int i : {14, 15, 114, 115, 214, 215}) {
    Open(i, "mem_leak", "memory");
    now_ += absl::Minutes(30);
  }
  ASSERT_EQ(problems_.problems.size(), 1u);
  EXPECT_EQ(problems_.problems[1].factor_kind(), "model");
  EXPECT_EQ(problems_.problems[1].factor(), "m7");
}

TEST_F(ProblemFinderTest, TwoCausesAtOnceAreKeptApart) {
  for (int i = 0; i < 20; ++i) {
    Open(3 + 10 * i, "agent_lost_server", "agent");
    Open(8 + 10 * i, "agent_lost_server", "agent");
    Open(5 + 10 * i, "mem_leak", "memory");
  }
  ASSERT_EQ(problems_.problems.size(), 3u);
  for (const auto& [id, problem] : problems_.problems) {
    EXPECT_EQ(problem.members(), 20u) << problem.DebugString();
    EXPECT_EQ(problem.factor_kind(), "site");
  }
}

TEST_F(ProblemFinderTest, ALostAgentIsOneSymptomWhateverTheMachine) {
  for (int i = 0; i < 6; ++i) {
    Open(3 + 10 * i,
         i % 2 == 0 ? "agent_lost_server" : "agent_lost_workstation", "agent");
  }
  ASSERT_EQ(problems_.problems.size(), 1u);
  EXPECT_EQ(problems_.problems[1].members(), 6u);
}

TEST_F(ProblemFinderTest, AnotherSymptomOfItSoonAfterJoins) {
  for (int i = 0; i < 5; ++i) Open(3 + 10 * i);
  now_ += absl::Minutes(5);
  Open(93, "latency_high", "network");
  Open(94, "latency_high", "network");  // of another site
  Open(103, "disk_used", "filesystem");
  EXPECT_EQ(problems_.problems[1].members(), 6u);
}

TEST_F(ProblemFinderTest, AnEndpointWithTwoIncidentsCountsOnce) {
  for (int i = 0; i < 8; ++i) Open(3 + 10 * (i % 4));
  EXPECT_TRUE(problems_.problems.empty());
}

TEST_F(ProblemFinderTest, TheWorstPriorityOfItsMembersIsTold) {
  for (int i = 0; i < 5; ++i) {
    Open(3 + 10 * i, "dns_failing", "network", i == 2 ? v1::P2 : v1::P4);
  }
  ASSERT_EQ(problems_.problem_changes.size(), 1u);
  EXPECT_EQ(problems_.problem_changes[0].priority, v1::P2);
}

TEST_F(ProblemFinderTest, ClosesWithItsLastMember) {
  std::vector<uint32_t> incidents;
  for (int i = 0; i < 6; ++i) incidents.push_back(Open(3 + 10 * i));
  for (size_t i = 0; i + 1 < incidents.size(); ++i) Close(incidents[i]);
  EXPECT_EQ(finder_->open_problems(), 1u);
  Close(incidents.back());
  EXPECT_EQ(finder_->open_problems(), 0u);
  EXPECT_TRUE(problems_.problems[1].has_closed_at());
  EXPECT_EQ(problems_.problem_changes.back().kind, Kind::kClosed);
}

TEST_F(ProblemFinderTest, ARestartGoesOnWhereItWas) {
  for (int i = 0; i < 7; ++i) Open(3 + 10 * i);
  MakeFinder();
  EXPECT_EQ(finder_->open_problems(), 1u);
  Open(3 + 10 * 8);
  EXPECT_EQ(problems_.problems.size(), 1u);
  EXPECT_EQ(problems_.problems[1].members(), 8u);
}

TEST_F(ProblemFinderTest, WhatArrivedBeforeARestartCounts) {
  for (int i = 0; i < 4; ++i) Open(3 + 10 * i);
  now_ += absl::Minutes(1);
  MakeFinder();
  Open(43);
  EXPECT_EQ(problems_.problems.size(), 1u);
}

TEST_F(ProblemFinderTest, WhatWasNotKeptIsFoundByLoading) {
  // Five incidents are in the store; nobody looked at them.
  for (int i = 0; i < 5; ++i) {
    IncidentChange change;
    change.incident.set_endpoint_id(absl::StrCat("e", 3 + 10 * i));
    change.symptoms = {SymptomMaker{.endpoint = absl::StrCat("e", 3 + 10 * i),
                                    .rule = "dns_failing",
                                    .subsystem = "network"}
                           .Make()};
    const auto stored = incidents_.Accept(change);
    problems_.endpoint_of[stored->id()] = stored->endpoint_id();
  }
  MakeFinder();
  EXPECT_EQ(problems_.problems.size(), 1u);
}

TEST_F(ProblemFinderTest, AnIncidentBelongsToOneProblemOnly) {
  // Each of a site's endpoints has two symptoms of one cause.
  std::vector<uint32_t> incidents;
  for (int i = 0; i < 6; ++i) {
    incidents.push_back(Open(3 + 10 * i, "gateway_unreachable"));
    Join(incidents.back(), 3 + 10 * i, "probe_down", "probe");
  }
  Open(3 + 10 * 8, "probe_down", "probe");
  ASSERT_EQ(problems_.problems.size(), 1u);
  for (const uint32_t incident : incidents) Close(incident);
  EXPECT_TRUE(problems_.problems[1].has_closed_at());
}

TEST_F(ProblemFinderTest, OneWhoseLastMemberClosedUnseenClosesAtTheNextLoad) {
  for (int i = 0; i < 5; ++i) Open(3 + 10 * i);
  for (v1::Incident& member : problems_.members[1]) {
    member.mutable_closed_at()->set_seconds(absl::ToUnixSeconds(now_));
  }
  now_ += absl::Hours(5);
  MakeFinder();
  EXPECT_EQ(finder_->open_problems(), 0u);
  EXPECT_TRUE(problems_.problems[1].has_closed_at());
}

TEST_F(ProblemFinderTest, AMemberThatGetsWorseRaisesTheProblem) {
  std::vector<uint32_t> incidents;
  for (int i = 0; i < 5; ++i) incidents.push_back(Open(3 + 10 * i));
  const size_t before = problems_.problem_changes.size();
  Join(incidents[2], 23, "disk_full", "filesystem", v1::P1);
  ASSERT_EQ(problems_.problem_changes.size(), before + 1);
  EXPECT_EQ(problems_.problem_changes.back().priority, v1::P1);
  EXPECT_TRUE(problems_.problem_changes.back().incidents.empty());
  Join(incidents[3], 33, "disk_full", "filesystem", v1::P2);  // no news
  EXPECT_EQ(problems_.problem_changes.size(), before + 1);
}

TEST_F(ProblemFinderTest, CountsEndpointsNotIncidents) {
  for (int i = 0; i < 5; ++i) Open(3 + 10 * i);
  for (int i = 0; i < 5; ++i) Open(3 + 10 * i, "latency_high");
  EXPECT_EQ(problems_.problems[1].members(), 5u);
}

TEST_F(ProblemFinderTest, ABacklogDoesNotBringHoursTogether) {
  for (int i = 0; i < 4; ++i) {
    Open(3 + 10 * i, "disk_used", "filesystem");
    now_ += absl::Hours(1);
  }
  now_ -= absl::Hours(4) + absl::Minutes(10);
  Open(43, "disk_used", "filesystem");
  EXPECT_TRUE(problems_.problems.empty());
}

TEST_F(ProblemFinderTest, WhoSleptThroughTheNightJoinsInTheMorning) {
  for (const int i : {14, 15, 114, 115, 214}) Open(i, "mem_leak", "memory");
  ASSERT_EQ(problems_.problems.size(), 1u);
  now_ += absl::Hours(14);
  Open(215, "mem_leak", "memory");  // of the same model
  Open(218, "mem_leak", "memory");  // of another
  EXPECT_EQ(problems_.problems[1].members(), 6u);
}

TEST_F(ProblemFinderTest, AProblemThatIsNeverDealtWithDoesNotTakeInEverything) {
  for (int i = 0; i < 30; ++i) Open(i * 31);  // no factor
  ASSERT_EQ(problems_.problems.size(), 1u);
  now_ += absl::Hours(24);
  Open(999);
  EXPECT_EQ(problems_.problems[1].members(), 30u);
}

TEST_F(ProblemFinderTest, InfoIsNoSymptomOfAProblem) {
  for (int i = 0; i < 8; ++i) {
    Open(3 + 10 * i, "tcp_retransmits", "network", v1::INFO);
  }
  EXPECT_TRUE(problems_.problems.empty());
}

}  // namespace
}  // namespace forewarn::correlate
