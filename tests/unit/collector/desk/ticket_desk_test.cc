#include "collector/desk/ticket_desk.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "collector/correlate/incident_folder.h"
#include "collector/store/sqlite_desk_store.h"
#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/collector/correlate/symptom_maker.h"

namespace forewarn::desk {
namespace {

using ::forewarn::testing::Cleared;
using ::forewarn::testing::FakeClock;
using ::forewarn::testing::IsOk;
using ::forewarn::testing::kNoon;
using ::forewarn::testing::Opened;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::SymptomMaker;
using ::forewarn::testing::Updated;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The corridor from the folder to the outbox, over a real database.
class TicketDeskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = store::SqliteDatabase::Open(":memory:");
    FOREWARN_ASSERT_OK(opened);
    database_ = *std::move(opened);
    store_ = std::make_unique<store::SqliteDeskStore>(*database_);
    desk_ = std::make_unique<TicketDesk>(
        *store_,
        std::vector<OutboxChannel>{{"mail", v1::P4}, {"webhook:page", v1::P2}},
        clock_);
    folder_ = std::make_unique<correlate::IncidentFolder>(
        correlate::FoldOptions{}, *store_);
    FOREWARN_ASSERT_OK(folder_->Load(clock_.Now()));
  }

  void Fold(const detect::SymptomEdge& edge) {
    FOREWARN_ASSERT_OK(folder_->Fold(edge, clock_.Now(), *desk_));
  }
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    FOREWARN_ASSERT_OK(folder_->Tick(clock_.Now(), *desk_));
  }
  v1::TicketDetail Ticket(uint32_t id = 1) {
    auto detail = desk_->Find(id);
    EXPECT_THAT(detail, IsOk());
    return detail.ok() ? *detail : v1::TicketDetail();
  }
  std::vector<std::string> Verbs(uint32_t id = 1) {
    std::vector<std::string> verbs;
    const v1::TicketDetail detail = Ticket(id);
    for (const v1::TicketEvent& event : detail.events()) {
      EXPECT_EQ(event.text().key(), "desk.event." + event.verb());
      verbs.push_back(event.verb());
    }
    return verbs;
  }
  std::vector<std::string> Keys(const std::string& channel, uint32_t id = 1) {
    std::vector<std::string> keys;
    const v1::TicketDetail detail = Ticket(id);
    for (const v1::Notification& notification : detail.notifications()) {
      if (notification.channel() == channel) {
        keys.push_back(notification.idempotency_key());
      }
    }
    return keys;
  }
  // Opens and clears the default symptom; quiet runs from then.
  void OpenAndClear() {
    Fold(Opened(SymptomMaker{}.Make()));
    Fold(Cleared(SymptomMaker{}.Make(), clock_.Now()));
  }

  FakeClock clock_{kNoon};
  std::unique_ptr<store::SqliteDatabase> database_;
  std::unique_ptr<store::SqliteDeskStore> store_;
  std::unique_ptr<TicketDesk> desk_;
  std::unique_ptr<correlate::IncidentFolder> folder_;
};

TEST_F(TicketDeskTest, AnIncidentGetsItsOneTicketWithEvidence) {
  v1::Symptom disk =
      SymptomMaker{.priority = v1::P2, .detector = v1::DETECTOR_KIND_FORECAST}
          .Make();
  *disk.mutable_evidence()->mutable_time_left()->mutable_limit_at() =
      wire::ToStamp(kNoon + absl::Hours(3));
  Fold(Opened(disk));
  const v1::TicketDetail detail = Ticket();
  EXPECT_EQ(detail.ticket().state(), v1::NEW);
  EXPECT_EQ(detail.ticket().kind(), v1::INCIDENT);
  EXPECT_EQ(detail.ticket().priority(), v1::P2);
  EXPECT_EQ(detail.ticket().endpoint_id(), "endpoint-a");
  EXPECT_EQ(detail.ticket().host_name(), "host-of-endpoint-a");
  EXPECT_EQ(detail.ticket().subsystem(), "filesystem");
  EXPECT_EQ(detail.ticket().title().key(), "rule.disk_used.title");
  EXPECT_EQ(detail.ticket().version(), 1u);
  EXPECT_EQ(wire::ToTime(detail.ticket().limit_at()), kNoon + absl::Hours(3));
  ASSERT_EQ(detail.symptoms_size(), 1);
  EXPECT_EQ(detail.symptoms(0).ticket(), 1u);
  EXPECT_EQ(detail.symptoms(0).incident(), detail.ticket().incident());
  EXPECT_THAT(Verbs(), ElementsAre("opened"));
}

TEST_F(TicketDeskTest, NotifiesTheChannelsWhosePriorityIsReached) {
  Fold(Opened(SymptomMaker{.priority = v1::P3}.Make()));
  EXPECT_THAT(Keys("mail"), ElementsAre("ticket-1-opened-1"));
  EXPECT_THAT(Keys("webhook:page"), IsEmpty());
}

TEST_F(TicketDeskTest, ARaisedPriorityIsToldToAllNowReached) {
  const v1::Symptom disk = SymptomMaker{.priority = v1::P3}.Make();
  Fold(Opened(disk));
  Fold(Updated(disk, kNoon + absl::Minutes(1), v1::P1));
  EXPECT_EQ(Ticket().ticket().priority(), v1::P1);
  EXPECT_THAT(Verbs(), ElementsAre("opened", "priority_raised"));
  EXPECT_THAT(Keys("mail"),
              ElementsAre("ticket-1-opened-1", "ticket-1-priority_raised-2"));
  EXPECT_THAT(Keys("webhook:page"), ElementsAre("ticket-1-priority_raised-2"));
}

TEST_F(TicketDeskTest, ALoweredPriorityIsOnlyRecorded) {
  const v1::Symptom disk = SymptomMaker{.priority = v1::P2}.Make();
  Fold(Opened(disk));
  Fold(Updated(disk, kNoon + absl::Minutes(1), v1::P4));
  EXPECT_EQ(Ticket().ticket().priority(), v1::P4);
  EXPECT_THAT(Verbs(), ElementsAre("opened", "priority_lowered"));
  EXPECT_THAT(Keys("mail"), ElementsAre("ticket-1-opened-1"));
}

TEST_F(TicketDeskTest, SymptomsComeLeadFirst) {
  Fold(Opened(SymptomMaker{.priority = v1::P3}.Make()));
  Fold(
      Opened(SymptomMaker{.rule = "io", .subsystem = "disk", .priority = v1::P1}
                 .Make()));
  const v1::TicketDetail detail = Ticket();
  ASSERT_EQ(detail.symptoms_size(), 2);
  EXPECT_EQ(detail.symptoms(0).rule(), "io");
  EXPECT_EQ(detail.ticket().subsystem(), "disk");
}

TEST_F(TicketDeskTest, AnUntouchedTicketResolvesByItselfAfterQuiet) {
  OpenAndClear();
  Pass(absl::Minutes(14));
  EXPECT_EQ(Ticket().ticket().state(), v1::NEW);
  Pass(absl::Minutes(1));
  EXPECT_EQ(Ticket().ticket().state(), v1::RESOLVED);
  EXPECT_TRUE(Ticket().ticket().has_resolved_at());
  EXPECT_THAT(Verbs(), ElementsAre("opened", "symptom_cleared", "all_clear",
                                   "resolved_by_itself"));
  EXPECT_THAT(Keys("mail"),
              ElementsAre("ticket-1-opened-1", "ticket-1-resolved-3"));
  EXPECT_THAT(Keys("webhook:page"), IsEmpty());
}

TEST_F(TicketDeskTest, RecoveryOfATouchedTicketIsOnlyNoted) {
  Fold(Opened(SymptomMaker{}.Make()));
  FOREWARN_ASSERT_OK(desk_->Comment(1, "looking", "kari"));
  Fold(Cleared(SymptomMaker{}.Make(), kNoon));
  Pass(absl::Minutes(15));
  EXPECT_EQ(Ticket().ticket().state(), v1::NEW);
  EXPECT_EQ(Verbs().back(), "recovered_noted");
  EXPECT_THAT(Keys("mail"), ElementsAre("ticket-1-opened-1"));
}

TEST_F(TicketDeskTest, EachVerbOfAPersonTouches) {
  Fold(Opened(SymptomMaker{}.Make()));
  Fold(Opened(SymptomMaker{.endpoint = "b"}.Make()));
  Fold(Opened(SymptomMaker{.endpoint = "c"}.Make()));
  EXPECT_FALSE(Ticket(1).ticket().touched());
  auto acknowledged = desk_->Acknowledge(1, "kari", "");
  auto assigned = desk_->Assign(2, "ola", "kari");
  auto commented = desk_->Comment(3, "hm", "kari");
  for (const auto& changed : {acknowledged, assigned, commented}) {
    FOREWARN_ASSERT_OK(changed);
    EXPECT_TRUE(changed->touched());
    EXPECT_EQ(changed->version(), 2u);
  }
  EXPECT_EQ(acknowledged->state(), v1::ACKNOWLEDGED);
  EXPECT_EQ(assigned->assignee(), "ola");
  EXPECT_EQ(Ticket(3).events(1).comment(), "hm");
  EXPECT_EQ(Ticket(3).events(1).actor(), "kari");
}

TEST_F(TicketDeskTest, ComesBackToTheSameTicketAfterResolving) {
  OpenAndClear();
  Pass(absl::Minutes(15));
  Pass(absl::Hours(2));
  Fold(Opened(SymptomMaker{.priority = v1::P1, .opened = clock_.Now()}.Make()));
  const v1::Ticket ticket = Ticket().ticket();
  EXPECT_EQ(ticket.state(), v1::NEW);
  EXPECT_EQ(ticket.reopened(), 1u);
  EXPECT_EQ(ticket.priority(), v1::P1);
  EXPECT_FALSE(ticket.has_resolved_at());
  EXPECT_EQ(Verbs().back(), "reopened_by_itself");
  EXPECT_THAT(Keys("webhook:page"), ElementsAre("ticket-1-reopened-4"));
  EXPECT_THAT(desk_->Find(2), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(TicketDeskTest, BackWhileAPersonWorksStaysOnTheirTicketHoweverLate) {
  Fold(Opened(SymptomMaker{}.Make()));
  FOREWARN_ASSERT_OK(desk_->Acknowledge(1, "kari", ""));
  Fold(Cleared(SymptomMaker{}.Make(), kNoon));
  Pass(absl::Minutes(15));
  Pass(absl::Hours(24 * 30));
  Fold(Opened(SymptomMaker{.opened = clock_.Now()}.Make()));
  EXPECT_EQ(Ticket().ticket().state(), v1::ACKNOWLEDGED);
  EXPECT_EQ(Verbs().back(), "symptom_joined");
  EXPECT_THAT(desk_->Find(2), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(TicketDeskTest, AStandingSymptomIsThePersonsDecisionUntilItGetsWorse) {
  const v1::Symptom disk = SymptomMaker{.priority = v1::P3}.Make();
  Fold(Opened(disk));
  FOREWARN_ASSERT_OK(desk_->Resolve(1, "known, will be replaced", "kari"));
  Fold(Updated(disk, kNoon + absl::Minutes(1), v1::P4));
  EXPECT_EQ(Ticket().ticket().state(), v1::RESOLVED);
  Fold(Updated(disk, kNoon + absl::Minutes(2), v1::P1));
  EXPECT_EQ(Ticket().ticket().state(), v1::NEW);
  EXPECT_EQ(Ticket().ticket().priority(), v1::P1);
  EXPECT_EQ(Verbs().back(), "reopened_by_itself");
}

TEST_F(TicketDeskTest, AFurtherSymptomReopensAResolvedTicket) {
  Fold(Opened(SymptomMaker{}.Make()));
  FOREWARN_ASSERT_OK(desk_->Resolve(1, "", "kari"));
  Fold(Opened(SymptomMaker{.priority = v1::INFO, .instance = "/tmp"}.Make()));
  EXPECT_EQ(Ticket().ticket().state(), v1::RESOLVED);
  Fold(Opened(SymptomMaker{.instance = "/var"}.Make()));
  EXPECT_EQ(Ticket().ticket().state(), v1::NEW);
  EXPECT_FALSE(Ticket().ticket().touched());
}

TEST_F(TicketDeskTest, APersonResolvesAndReopens) {
  Fold(Opened(SymptomMaker{}.Make()));
  FOREWARN_ASSERT_OK(desk_->Resolve(1, "cleaned up", "kari"));
  EXPECT_EQ(Ticket().ticket().state(), v1::RESOLVED);
  FOREWARN_ASSERT_OK(desk_->Reopen(1, "not yet", "ola"));
  const v1::Ticket ticket = Ticket().ticket();
  EXPECT_EQ(ticket.state(), v1::NEW);
  EXPECT_TRUE(ticket.touched());
  EXPECT_EQ(ticket.reopened(), 1u);
  EXPECT_THAT(Verbs(), ElementsAre("opened", "resolved", "reopened"));
  EXPECT_THAT(Keys("mail"),
              ElementsAre("ticket-1-opened-1", "ticket-1-resolved-2",
                          "ticket-1-reopened-3"));
}

TEST_F(TicketDeskTest, RefusesToReopenBesideAnOpenTicketForTheSameSymptom) {
  OpenAndClear();
  Pass(absl::Minutes(15));
  Pass(absl::Hours(48));
  Fold(Opened(SymptomMaker{.opened = clock_.Now()}.Make()));
  ASSERT_EQ(Ticket(2).ticket().state(), v1::NEW);
  EXPECT_THAT(desk_->Reopen(1, "", "kari"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("ticket 2 is open for the same symptom")));
  EXPECT_EQ(Ticket(1).ticket().state(), v1::RESOLVED);
}

TEST_F(TicketDeskTest, AReopenedTicketTakesItsSymptomsBack) {
  OpenAndClear();
  Pass(absl::Minutes(15));
  Pass(absl::Hours(48));
  FOREWARN_ASSERT_OK(desk_->Reopen(1, "", "kari"));
  Fold(Opened(SymptomMaker{.opened = clock_.Now()}.Make()));
  EXPECT_EQ(Ticket(1).ticket().state(), v1::NEW);
  EXPECT_EQ(Ticket(1).symptoms(0).has_cleared_at(), false);
  EXPECT_THAT(desk_->Find(2), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(TicketDeskTest, FlappingMakesOneTicketAndFewHistoryRows) {
  for (int i = 0; i < 60; ++i) {
    const v1::Symptom disk = SymptomMaker{.opened = clock_.Now()}.Make();
    Fold(Opened(disk));
    Pass(absl::Seconds(5));
    Fold(Cleared(disk, clock_.Now()));
    Pass(absl::Seconds(5));
  }
  EXPECT_THAT(desk_->Find(2), StatusIs(absl::StatusCode::kNotFound));
  // Ten minutes: at most three rows of each of three verbs, and the opening.
  EXPECT_LE(Ticket().events_size(), 10);
  EXPECT_THAT(Keys("mail"), ElementsAre("ticket-1-opened-1"));
  EXPECT_EQ(Ticket().symptoms_size(), 1) << "the latest of a fingerprint";
}

TEST_F(TicketDeskTest, RefusesWhatTheWorkflowForbids) {
  Fold(Opened(SymptomMaker{}.Make()));
  FOREWARN_ASSERT_OK(desk_->Acknowledge(1, "kari", ""));
  EXPECT_THAT(desk_->Acknowledge(1, "ola", ""),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("allowed while new")));
  EXPECT_EQ(Ticket().ticket().version(), 2u);
  EXPECT_THAT(desk_->Resolve(9, "", "kari"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("ticket 9")));
}

TEST_F(TicketDeskTest, RefusesTextThatCannotBeKept) {
  Fold(Opened(SymptomMaker{}.Make()));
  EXPECT_THAT(desk_->Comment(1, "", "kari"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(desk_->Comment(1, std::string(65537, 'x'), "kari"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(desk_->Comment(1, "\xff", "kari"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(desk_->Assign(1, "", "kari"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  FOREWARN_EXPECT_OK(desk_->Comment(1, std::string(65536, 'x'), "kari"));
}

TEST_F(TicketDeskTest, ListsAndCounts) {
  Fold(Opened(SymptomMaker{}.Make()));
  Fold(Opened(SymptomMaker{.endpoint = "b"}.Make()));
  Fold(Opened(
      SymptomMaker{.endpoint = "b", .rule = "cert", .subsystem = "certificate"}
          .Make()));
  FOREWARN_ASSERT_OK(desk_->Resolve(1, "", "kari"));
  const auto open = desk_->List({.states = {v1::NEW}});
  FOREWARN_ASSERT_OK(open);
  ASSERT_EQ(open->size(), 2u);
  EXPECT_EQ((*open)[0].id(), 3u);
  const auto counts = desk_->OpenCounts();
  FOREWARN_ASSERT_OK(counts);
  EXPECT_THAT(*counts, ElementsAre(std::pair<std::string, uint32_t>("b", 2)));
  const auto symptoms = desk_->Symptoms({.open_only = true, .rule = "cert"});
  FOREWARN_ASSERT_OK(symptoms);
  EXPECT_EQ(symptoms->size(), 1u);
}

TEST_F(TicketDeskTest, NotedSymptomsAreListedWithoutATicket) {
  Fold(Opened(SymptomMaker{.priority = v1::INFO}.Make()));
  const auto symptoms = desk_->Symptoms({});
  FOREWARN_ASSERT_OK(symptoms);
  ASSERT_EQ(symptoms->size(), 1u);
  EXPECT_EQ((*symptoms)[0].ticket(), 0u);
  EXPECT_THAT(desk_->Find(1), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(TicketDeskTest, AForecastIsScoredOnce) {
  const auto score = [&](int hour, v1::ForecastOutcome outcome) {
    const auto tally =
        desk_->KeepScore({.rule = "disk_fill",
                          .fingerprint = "f",
                          .claimed_at = kNoon + absl::Hours(hour),
                          .scored_at = kNoon + absl::Hours(hour + 1),
                          .outcome = outcome},
                         kNoon);
    EXPECT_THAT(tally, IsOk());
    return *tally;
  };
  score(0, v1::FORECAST_OUTCOME_HIT);
  score(0, v1::FORECAST_OUTCOME_HIT);
  EXPECT_EQ(score(2, v1::FORECAST_OUTCOME_LATE).hits(), 1u);
  score(4, v1::FORECAST_OUTCOME_MISS);
  const v1::ForecastTally tally = score(6, v1::FORECAST_OUTCOME_AVERTED);
  EXPECT_EQ(tally.averted(), 1u);
  EXPECT_EQ(tally.misses(), 1u);
  EXPECT_NEAR(tally.precision(), 2.0 / 3, 1e-9);
  const auto later = desk_->Tallies(kNoon + absl::Hours(2));
  FOREWARN_ASSERT_OK(later);
  ASSERT_EQ(later->size(), 1u);
  EXPECT_EQ((*later)[0].hits(), 0u);
}

// Three incidents that are made a problem.
class ProblemTicketTest : public TicketDeskTest {
 protected:
  void SetUp() override {
    TicketDeskTest::SetUp();
    for (int i = 0; i < 3; ++i) {
      v1::Symptom symptom = Symptom(i);
      Fold(Opened(symptom));
    }
    correlate::ProblemChange change;
    change.problem.set_symptom("dns_failing");
    change.problem.set_subsystem("network");
    change.problem.set_factor_kind("site");
    change.problem.set_factor("oslo");
    change.problem.set_members(3);
    *change.problem.mutable_opened_at() = wire::ToStamp(kNoon);
    change.incidents = {1, 2, 3};
    change.priority = v1::P3;
    change.example = Symptom(0).title();
    auto stored = desk_->AcceptProblem(change);
    FOREWARN_ASSERT_OK(stored);
    problem_ = *stored;
  }
  static v1::Symptom Symptom(int i) {
    return SymptomMaker{.endpoint = absl::StrCat("e", i),
                        .rule = "dns_failing",
                        .subsystem = "network"}
        .Make();
  }
  v1::Problem problem_;
};

TEST_F(ProblemTicketTest, HasOneTicketThatNamesCountAndFactor) {
  const v1::TicketDetail detail = Ticket(problem_.ticket());
  EXPECT_EQ(detail.ticket().kind(), v1::PROBLEM);
  EXPECT_EQ(detail.ticket().site(), "oslo");
  EXPECT_EQ(detail.ticket().members(), 3u);
  EXPECT_EQ(detail.ticket().title().key(), "desk.problem.title_with_factor");
  EXPECT_EQ(detail.problem().symptom(), "dns_failing");
  EXPECT_EQ(detail.member_tickets_size(), 3);
  EXPECT_EQ(Keys("mail", problem_.ticket()).size(), 1u);
  EXPECT_EQ(Ticket(1).ticket().problem(), problem_.ticket());
  EXPECT_THAT(Verbs(1), ElementsAre("opened", "joined_problem"));
}

TEST_F(ProblemTicketTest, MembersAreSilentFromThenOn) {
  const size_t before = Keys("mail", 1).size();
  Fold(Updated(Symptom(0), kNoon, v1::P2));
  EXPECT_EQ(Ticket(1).ticket().priority(), v1::P2);
  EXPECT_EQ(Keys("mail", 1).size(), before);
  EXPECT_THAT(Keys("webhook:page", 1), IsEmpty());
}

TEST_F(ProblemTicketTest, GrowsWithoutAWordUnlessItGetsWorse) {
  Fold(Opened(Symptom(7)));
  correlate::ProblemChange change;
  change.kind = correlate::ProblemChange::Kind::kJoined;
  problem_.set_members(4);
  change.problem = problem_;
  change.incidents = {4};
  change.priority = v1::P3;
  FOREWARN_ASSERT_OK(desk_->AcceptProblem(change));
  FOREWARN_ASSERT_OK(desk_->AcceptProblem(change));  // once more: no harm
  EXPECT_EQ(Ticket(problem_.ticket()).ticket().members(), 4u);
  EXPECT_EQ(Ticket(problem_.ticket()).member_tickets_size(), 4);
  EXPECT_EQ(Keys("mail", problem_.ticket()).size(), 1u);
  change.priority = v1::P2;
  FOREWARN_ASSERT_OK(desk_->AcceptProblem(change));
  EXPECT_EQ(Keys("mail", problem_.ticket()).size(), 2u);
  EXPECT_EQ(Keys("webhook:page", problem_.ticket()).size(), 1u);
}

TEST_F(ProblemTicketTest, WhoJoinsBeforeAnybodyWasToldIsNotTold) {
  Fold(Opened(Symptom(7)));
  ASSERT_EQ(Keys("mail", 5).size(), 1u);
  correlate::ProblemChange change;
  change.kind = correlate::ProblemChange::Kind::kJoined;
  change.problem = problem_;
  change.incidents = {4};
  FOREWARN_ASSERT_OK(desk_->AcceptProblem(change));
  EXPECT_THAT(Keys("mail", 5), IsEmpty());
}

TEST_F(ProblemTicketTest, OpensAgainWhenOthersGetIt) {
  FOREWARN_ASSERT_OK(desk_->Resolve(problem_.ticket(), "mended", "ann"));
  const size_t before = Keys("mail", problem_.ticket()).size();
  Fold(Opened(Symptom(7)));
  correlate::ProblemChange change;
  change.kind = correlate::ProblemChange::Kind::kJoined;
  change.problem = problem_;
  change.incidents = {4};
  change.priority = v1::P3;
  FOREWARN_ASSERT_OK(desk_->AcceptProblem(change));
  EXPECT_EQ(Ticket(problem_.ticket()).ticket().state(), v1::NEW);
  EXPECT_EQ(Keys("mail", problem_.ticket()).size(), before + 1);
}

TEST_F(ProblemTicketTest, MembersSpeakAgainWhenItHasClosed) {
  correlate::ProblemChange change;
  change.kind = correlate::ProblemChange::Kind::kClosed;
  *problem_.mutable_closed_at() = wire::ToStamp(kNoon + absl::Hours(1));
  change.problem = problem_;
  FOREWARN_ASSERT_OK(desk_->AcceptProblem(change));
  Fold(Updated(Symptom(0), kNoon, v1::P2));
  EXPECT_EQ(Keys("webhook:page", 1).size(), 1u);
}

TEST_F(ProblemTicketTest, ResolvesWithItsLastMemberUnlessSomebodyHasBegun) {
  correlate::ProblemChange change;
  change.kind = correlate::ProblemChange::Kind::kClosed;
  *problem_.mutable_closed_at() = wire::ToStamp(kNoon + absl::Hours(1));
  change.problem = problem_;
  clock_.Advance(absl::Hours(1));
  FOREWARN_ASSERT_OK(desk_->AcceptProblem(change));
  EXPECT_EQ(Ticket(problem_.ticket()).ticket().state(), v1::RESOLVED);
  EXPECT_THAT(Verbs(problem_.ticket()),
              ElementsAre("problem_opened", "problem_resolved_by_itself"));
}

TEST_F(ProblemTicketTest, WorkThatWasBegunKeepsItOpen) {
  FOREWARN_ASSERT_OK(desk_->Acknowledge(problem_.ticket(), "ann", ""));
  correlate::ProblemChange change;
  change.kind = correlate::ProblemChange::Kind::kClosed;
  *problem_.mutable_closed_at() = wire::ToStamp(kNoon + absl::Hours(1));
  change.problem = problem_;
  FOREWARN_ASSERT_OK(desk_->AcceptProblem(change));
  EXPECT_EQ(Ticket(problem_.ticket()).ticket().state(), v1::ACKNOWLEDGED);
  EXPECT_EQ(Verbs(problem_.ticket()).back(), "problem_recovered_noted");
}

TEST_F(ProblemTicketTest, IsReadBackWithItsMembers) {
  const auto open = store_->OpenProblems();
  FOREWARN_ASSERT_OK(open);
  ASSERT_EQ(open->size(), 1u);
  EXPECT_EQ((*open)[0].SerializeAsString(), problem_.SerializeAsString());
  const auto members = store_->MembersOf(problem_.id());
  FOREWARN_ASSERT_OK(members);
  ASSERT_EQ(members->size(), 3u);
  EXPECT_EQ((*members)[2].endpoint_id(), "e2");
}

}  // namespace
}  // namespace forewarn::desk
