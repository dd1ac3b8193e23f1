#include "collector/correlate/incident_folder.h"

#include <memory>
#include <vector>

#include "collector/correlate/memory_incidents.h"
#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/collector/correlate/symptom_maker.h"

namespace forewarn::correlate {
namespace {

using ::forewarn::testing::Cleared;
using ::forewarn::testing::kNoon;
using ::forewarn::testing::Opened;
using ::forewarn::testing::Reconciled;
using ::forewarn::testing::Standing;
using ::forewarn::testing::StatusIs;
using ::forewarn::testing::SymptomMaker;
using ::forewarn::testing::Updated;
using ::testing::ElementsAre;
using Kind = IncidentChange::Kind;

class IncidentFolderTest : public ::testing::Test {
 protected:
  // Keeps what the folder said, and hands it on; fails on demand.
  class Recorder final : public IncidentSink {
   public:
    explicit Recorder(MemoryIncidents& memory) : memory_(memory) {}
    absl::StatusOr<v1::Incident> Accept(const IncidentChange& change) override {
      if (failures_left > 0) {
        --failures_left;
        return absl::UnavailableError("busy");
      }
      changes.push_back(change);
      return memory_.Accept(change);
    }
    std::vector<IncidentChange> changes;
    int failures_left = 0;

   private:
    MemoryIncidents& memory_;
  };

  void Start(FoldOptions options = {}) {
    folder_ = std::make_unique<IncidentFolder>(options, memory_);
    FOREWARN_ASSERT_OK(folder_->Load(now_));
  }
  void SetUp() override { Start(); }

  void Fold(const detect::SymptomEdge& edge) {
    FOREWARN_ASSERT_OK(folder_->Fold(edge, now_, sink_));
  }
  void TickAt(absl::Time now) {
    now_ = now;
    FOREWARN_ASSERT_OK(folder_->Tick(now_, sink_));
  }
  std::vector<Kind> Kinds() const {
    std::vector<Kind> kinds;
    for (const IncidentChange& change : sink_.changes) {
      kinds.push_back(change.kind);
    }
    return kinds;
  }
  const IncidentChange& Last() const { return sink_.changes.back(); }

  absl::Time now_ = kNoon;
  MemoryIncidents memory_;
  Recorder sink_{memory_};
  std::unique_ptr<IncidentFolder> folder_;
};

TEST_F(IncidentFolderTest, ASymptomOpensAnIncident) {
  Fold(Opened(SymptomMaker{.priority = v1::P2}.Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened));
  EXPECT_EQ(Last().priority, v1::P2);
  EXPECT_EQ(Last().title.key(), "rule.disk_used.title");
  EXPECT_EQ(Last().incident.endpoint_id(), "endpoint-a");
  EXPECT_EQ(wire::ToTime(Last().incident.opened_at()), kNoon);
}

TEST_F(IncidentFolderTest, AnEdgeSeenBeforeChangesNothing) {
  const v1::Symptom disk = SymptomMaker{}.Make();
  Fold(Opened(disk));
  Fold(Opened(disk));
  Fold(Standing(disk));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened));
}

TEST_F(IncidentFolderTest, SameSubsystemAndThingJoinsHoweverLate) {
  Fold(Opened(SymptomMaker{.instance = "/srv"}.Make()));
  now_ += absl::Hours(30);
  Fold(Opened(
      SymptomMaker{.rule = "disk_fill", .opened = now_, .instance = "/srv"}
          .Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened, Kind::kJoined));
}

TEST_F(IncidentFolderTest, AnotherFileSystemAtAnotherTimeIsAnotherIncident) {
  Fold(Opened(SymptomMaker{.instance = "/srv"}.Make()));
  now_ += absl::Hours(1);
  Fold(Opened(SymptomMaker{.opened = now_, .instance = "/var"}.Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened, Kind::kOpened));
}

TEST_F(IncidentFolderTest, TwoFileSystemsThatFillTogetherAreOneIncident) {
  Fold(Opened(SymptomMaker{.instance = "/srv"}.Make()));
  Fold(Opened(SymptomMaker{.opened = kNoon + absl::Minutes(1),
                           .instance = "/var"}
                  .Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened, Kind::kJoined));
}

TEST_F(IncidentFolderTest, ARelatedSubsystemJoinsHoweverLate) {
  Fold(Opened(SymptomMaker{}.Make()));
  now_ += absl::Hours(30);
  Fold(Opened(
      SymptomMaker{.rule = "disk_wait", .subsystem = "disk", .opened = now_}
          .Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened, Kind::kJoined));
}

TEST_F(IncidentFolderTest, UnrelatedThatBeginsTogetherJoins) {
  Fold(Opened(SymptomMaker{.rule = "cpu", .subsystem = "cpu"}.Make()));
  Fold(Opened(SymptomMaker{
      .rule = "mem", .subsystem = "memory", .opened = kNoon + absl::Minutes(2)}
                  .Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened, Kind::kJoined));
}

TEST_F(IncidentFolderTest, UnrelatedThatBeginsLaterIsAnIncidentOfItsOwn) {
  Fold(Opened(SymptomMaker{.rule = "cpu", .subsystem = "cpu"}.Make()));
  Fold(Opened(SymptomMaker{
      .rule = "mem", .subsystem = "memory", .opened = kNoon + absl::Minutes(3)}
                  .Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened, Kind::kOpened));
}

TEST_F(IncidentFolderTest, ABusyProcessorDoesNotSwallowAFileSystemThatFills) {
  Fold(Opened(SymptomMaker{.rule = "cpu", .subsystem = "cpu"}.Make()));
  Fold(Opened(SymptomMaker{}.Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened, Kind::kOpened));
}

TEST_F(IncidentFolderTest, AnotherEndpointIsAnotherIncident) {
  Fold(Opened(SymptomMaker{}.Make()));
  Fold(Opened(SymptomMaker{.endpoint = "endpoint-b"}.Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened, Kind::kOpened));
}

TEST_F(IncidentFolderTest, CertificateAndAgentFoldWithNothingByTime) {
  Fold(Opened(SymptomMaker{}.Make()));
  Fold(Opened(SymptomMaker{.rule = "cert", .subsystem = "certificate"}.Make()));
  Fold(Opened(SymptomMaker{.rule = "agent_lost", .subsystem = "agent"}.Make()));
  EXPECT_THAT(Kinds(),
              ElementsAre(Kind::kOpened, Kind::kOpened, Kind::kOpened));
}

TEST_F(IncidentFolderTest, TitleAndPriorityAreTheWorstStandingSymptoms) {
  Fold(Opened(SymptomMaker{.priority = v1::P3}.Make()));
  const v1::Symptom worse =
      SymptomMaker{.priority = v1::P1, .instance = "/var"}.Make();
  Fold(Opened(worse));
  EXPECT_EQ(Last().priority, v1::P1);
  EXPECT_EQ(Last().incident.lead_fingerprint(), worse.fingerprint());
  Fold(Cleared(worse, kNoon + absl::Minutes(1)));
  EXPECT_EQ(Last().kind, Kind::kCleared);
  EXPECT_EQ(Last().priority, v1::P3);
  EXPECT_EQ(Last().incident.lead_fingerprint(), "endpoint-a/disk_used");
}

TEST_F(IncidentFolderTest, OfEqualPriorityAForecastLeadsThenARule) {
  Fold(Opened(SymptomMaker{.rule = "odd", .detector = v1::DETECTOR_KIND_ANOMALY}
                  .Make()));
  Fold(Opened(SymptomMaker{.opened = kNoon + absl::Seconds(1)}.Make()));
  EXPECT_EQ(Last().title.key(), "rule.disk_used.title");
  Fold(Opened(SymptomMaker{.rule = "disk_fill",
                           .detector = v1::DETECTOR_KIND_FORECAST,
                           .opened = kNoon + absl::Seconds(2)}
                  .Make()));
  EXPECT_EQ(Last().title.key(), "rule.disk_fill.title");
}

TEST_F(IncidentFolderTest, AnUpdateRaisesThePriority) {
  const v1::Symptom disk = SymptomMaker{.priority = v1::P3}.Make();
  Fold(Opened(disk));
  Fold(Updated(disk, kNoon + absl::Minutes(1), v1::P1));
  EXPECT_EQ(Last().kind, Kind::kUpdated);
  EXPECT_EQ(Last().priority, v1::P1);
}

TEST_F(IncidentFolderTest, AnOlderUpdateChangesNothing) {
  const v1::Symptom disk = SymptomMaker{.priority = v1::P3}.Make();
  Fold(Opened(disk));
  Fold(Updated(disk, kNoon + absl::Minutes(2), v1::P1));
  Fold(Updated(disk, kNoon + absl::Minutes(1), v1::P2));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened, Kind::kUpdated));
}

TEST_F(IncidentFolderTest, AnUpdateKeepsTheProcessesSeenAtTheOpening) {
  v1::Symptom disk = SymptomMaker{}.Make();
  disk.mutable_evidence()->mutable_processes()->add_top_cpu()->set_name("tar");
  Fold(Opened(disk));
  disk.clear_evidence();
  Fold(Updated(disk, kNoon + absl::Minutes(1), v1::P1));
  EXPECT_EQ(Last().symptoms[0].evidence().processes().top_cpu(0).name(), "tar");
}

TEST_F(IncidentFolderTest, ResolvesAfterTheLongestQuietOfItsSymptoms) {
  const v1::Symptom one = SymptomMaker{.quiet = absl::Minutes(5)}.Make();
  const v1::Symptom two =
      SymptomMaker{.quiet = absl::Minutes(30), .instance = "/var"}.Make();
  Fold(Opened(one));
  Fold(Opened(two));
  Fold(Cleared(two, kNoon + absl::Seconds(10)));
  Fold(Cleared(one, kNoon + absl::Seconds(20)));
  EXPECT_EQ(Last().kind, Kind::kAllClear);
  EXPECT_EQ(wire::ToTime(Last().incident.resolve_after()),
            kNoon + absl::Minutes(30));
  TickAt(kNoon + absl::Minutes(29));
  EXPECT_EQ(Last().kind, Kind::kAllClear);
  TickAt(kNoon + absl::Minutes(30));
  EXPECT_EQ(Last().kind, Kind::kResolved);
  EXPECT_EQ(folder_->open_incidents(), 0u);
}

TEST_F(IncidentFolderTest, ConfiguredQuietOverridesTheRules) {
  Start({.quiet = absl::Minutes(1)});
  const v1::Symptom disk = SymptomMaker{.quiet = absl::Hours(5)}.Make();
  Fold(Opened(disk));
  Fold(Cleared(disk, kNoon));
  TickAt(kNoon + absl::Minutes(1));
  EXPECT_EQ(Last().kind, Kind::kResolved);
}

TEST_F(IncidentFolderTest, BackDuringQuietJustContinues) {
  Fold(Opened(SymptomMaker{}.Make()));
  Fold(Cleared(SymptomMaker{}.Make(), kNoon + absl::Minutes(1)));
  now_ = kNoon + absl::Minutes(2);
  Fold(Opened(SymptomMaker{.opened = now_}.Make()));
  EXPECT_EQ(Last().kind, Kind::kJoined);
  EXPECT_EQ(Last().incident.id(), 1u);
  TickAt(kNoon + absl::Hours(5));
  EXPECT_EQ(Last().kind, Kind::kJoined) << "closed though a symptom stands";
}

TEST_F(IncidentFolderTest, BackWithinTheWindowReopensTheSameIncident) {
  Fold(Opened(SymptomMaker{}.Make()));
  Fold(Cleared(SymptomMaker{}.Make(), kNoon));
  TickAt(kNoon + absl::Minutes(15));
  now_ = kNoon + absl::Hours(24);
  Fold(Opened(SymptomMaker{.opened = now_}.Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened, Kind::kAllClear,
                                   Kind::kResolved, Kind::kReopened));
  EXPECT_EQ(Last().incident.id(), 1u);
  EXPECT_FALSE(Last().incident.has_closed_at());
  EXPECT_FALSE(Last().incident.has_resolve_after());
}

TEST_F(IncidentFolderTest, BackAfterTheWindowIsANewIncident) {
  Fold(Opened(SymptomMaker{}.Make()));
  Fold(Cleared(SymptomMaker{}.Make(), kNoon));
  TickAt(kNoon + absl::Minutes(15));
  now_ = kNoon + absl::Hours(25);
  Fold(Opened(SymptomMaker{.opened = now_}.Make()));
  EXPECT_EQ(Last().kind, Kind::kOpened);
  EXPECT_EQ(memory_.records().size(), 2u);
}

TEST_F(IncidentFolderTest, ALateReplayMakesNoSecondIncident) {
  const v1::Symptom disk = SymptomMaker{}.Make();
  Fold(Opened(disk));
  Fold(Cleared(disk, kNoon + absl::Minutes(1)));
  Fold(Opened(disk));
  TickAt(kNoon + absl::Minutes(16));
  Fold(Opened(disk));
  Fold(Updated(disk, kNoon + absl::Seconds(30), v1::P1));
  now_ = kNoon + absl::Hours(100);
  Fold(Opened(disk));
  EXPECT_THAT(Kinds(),
              ElementsAre(Kind::kOpened, Kind::kAllClear, Kind::kResolved));
}

TEST_F(IncidentFolderTest, TheClearOfAnEarlierSpellDoesNotClearThisOne) {
  Fold(Opened(SymptomMaker{}.Make()));
  Fold(Cleared(SymptomMaker{}.Make(), kNoon + absl::Minutes(1)));
  const v1::Symptom again =
      SymptomMaker{.opened = kNoon + absl::Minutes(2)}.Make();
  Fold(Opened(again));
  Fold(Cleared(SymptomMaker{}.Make(), kNoon + absl::Minutes(1)));
  EXPECT_EQ(Last().kind, Kind::kJoined);
}

TEST_F(IncidentFolderTest, InfoAloneIsOnlyNoted) {
  Fold(Opened(SymptomMaker{.priority = v1::INFO}.Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kNoted));
  Fold(Cleared(SymptomMaker{.priority = v1::INFO}.Make(),
               kNoon + absl::Minutes(1)));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kNoted, Kind::kNoted));
  EXPECT_TRUE(memory_.records().empty());
}

TEST_F(IncidentFolderTest, InfoJoinsAnOpenIncidentAndHoldsItNotOpen) {
  const v1::Symptom disk = SymptomMaker{}.Make();
  Fold(Opened(disk));
  Fold(Opened(SymptomMaker{.rule = "odd", .priority = v1::INFO}.Make()));
  EXPECT_EQ(Last().kind, Kind::kJoined);
  EXPECT_EQ(Last().priority, v1::P3);
  Fold(Cleared(disk, kNoon));
  EXPECT_EQ(Last().kind, Kind::kAllClear);
  TickAt(kNoon + absl::Minutes(15));
  EXPECT_EQ(Last().kind, Kind::kResolved);
}

TEST_F(IncidentFolderTest, ANewIncidentTakesRelatedInfoAlong) {
  Fold(Opened(SymptomMaker{.rule = "odd", .priority = v1::INFO}.Make()));
  Fold(Opened(
      SymptomMaker{.rule = "far", .subsystem = "clock", .priority = v1::INFO}
          .Make()));
  Fold(Opened(SymptomMaker{}.Make()));
  ASSERT_EQ(Last().symptoms.size(), 2u);
  EXPECT_EQ(Last().symptoms[0].rule(), "disk_used");
  EXPECT_EQ(Last().symptoms[1].rule(), "odd");
}

TEST_F(IncidentFolderTest, InfoThatGetsWorseOpensAnIncident) {
  const v1::Symptom disk = SymptomMaker{.priority = v1::INFO}.Make();
  Fold(Opened(disk));
  Fold(Updated(disk, kNoon + absl::Minutes(1), v1::P2));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kNoted, Kind::kOpened));
}

TEST_F(IncidentFolderTest, OneThatEasedToInfoAndClosedReopensWhenWorse) {
  const v1::Symptom disk = SymptomMaker{}.Make();
  Fold(Opened(disk));
  Fold(Updated(disk, kNoon + absl::Minutes(1), v1::INFO));
  EXPECT_EQ(Last().kind, Kind::kAllClear);
  TickAt(kNoon + absl::Minutes(30));
  EXPECT_EQ(Last().kind, Kind::kResolved);
  Fold(Updated(disk, kNoon + absl::Minutes(31), v1::P1));
  EXPECT_EQ(Last().kind, Kind::kReopened);
  EXPECT_EQ(memory_.records().size(), 1u);
}

TEST_F(IncidentFolderTest, AReopenedIncidentNeverTakesWhatAnotherHolds) {
  // Incident 1 had cpu and memory; both closed. Later memory opens a new one.
  const v1::Symptom cpu =
      SymptomMaker{.rule = "cpu", .subsystem = "cpu"}.Make();
  const v1::Symptom memory =
      SymptomMaker{.rule = "mem", .subsystem = "memory"}.Make();
  Start({.reopen_window = absl::Minutes(5)});
  Fold(Opened(cpu));
  Fold(Opened(memory));
  Fold(Cleared(memory, kNoon));
  Fold(Cleared(cpu, kNoon));
  TickAt(kNoon + absl::Minutes(15));
  now_ = kNoon + absl::Hours(2);
  Fold(Opened(SymptomMaker{.rule = "mem", .subsystem = "memory", .opened = now_}
                  .Make()));
  EXPECT_EQ(memory_.records().size(), 2u);
  // Now cpu comes back, within the window of a longer memory.
  Start({.reopen_window = absl::Hours(24)});
  now_ = kNoon + absl::Hours(4);
  Fold(Opened(
      SymptomMaker{.rule = "cpu", .subsystem = "cpu", .opened = now_}.Make()));
  EXPECT_EQ(Last().kind, Kind::kJoined);
  EXPECT_EQ(Last().incident.id(), 2u);
}

TEST_F(IncidentFolderTest, ReconcilingClearsWhatDetectorsNoLongerName) {
  const v1::Symptom stays = SymptomMaker{}.Make();
  const v1::Symptom goes = SymptomMaker{.instance = "/var"}.Make();
  Fold(Opened(stays));
  Fold(Opened(goes));
  Start();
  Fold(Standing(stays));
  Fold(Reconciled("endpoint-a", kNoon + absl::Hours(1)));
  EXPECT_EQ(Last().kind, Kind::kCleared);
  ASSERT_EQ(Last().symptoms.size(), 1u);
  EXPECT_EQ(Last().symptoms[0].fingerprint(), goes.fingerprint());
  EXPECT_TRUE(Last().symptoms[0].has_cleared_at());
}

TEST_F(IncidentFolderTest, ReconcilingLeavesOtherEndpointsAlone) {
  Fold(Opened(SymptomMaker{.endpoint = "endpoint-b"}.Make()));
  Start();
  Fold(Reconciled("endpoint-a", kNoon));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened));
}

TEST_F(IncidentFolderTest, AfterARestartTheLatestSpellCountsWhereverItIs) {
  // Memory's spells one and three are in incident 1; the second, mere INFO,
  // was evidence in incident 2.
  SymptomMaker memory{.rule = "mem", .subsystem = "memory"};
  Start({.reopen_window = absl::Hours(1000)});
  Fold(Opened(memory.Make()));
  Fold(Cleared(memory.Make(), kNoon));
  TickAt(kNoon + absl::Hours(1));
  Fold(Opened(SymptomMaker{.rule = "p", .subsystem = "process", .opened = now_}
                  .Make()));
  memory.opened = now_ + absl::Minutes(1);
  memory.priority = v1::INFO;
  Fold(Opened(memory.Make()));
  ASSERT_EQ(Last().incident.id(), 2u);
  Fold(Cleared(memory.Make(), now_ + absl::Minutes(2)));
  memory.opened = now_ + absl::Minutes(3);
  memory.priority = v1::P3;
  Fold(Opened(memory.Make()));
  ASSERT_EQ(Last().incident.id(), 1u);
  Start();
  Fold(Updated(memory.Make(), now_ + absl::Minutes(4), v1::P1));
  EXPECT_EQ(Last().kind, Kind::kUpdated);
  EXPECT_EQ(Last().incident.id(), 1u);
  EXPECT_EQ(Last().priority, v1::P1);
}

TEST_F(IncidentFolderTest, StandingAfterARestartOpensWhatNobodySaw) {
  Fold(Standing(SymptomMaker{}.Make()));
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened));
}

TEST_F(IncidentFolderTest, QuietBeginsAnewAfterARestart) {
  Fold(Opened(SymptomMaker{}.Make()));
  Fold(Cleared(SymptomMaker{}.Make(), kNoon));
  now_ = kNoon + absl::Hours(3);  // down meanwhile
  Start();
  TickAt(now_);
  EXPECT_EQ(Last().kind, Kind::kAllClear);
  TickAt(now_ + absl::Minutes(15));
  EXPECT_EQ(Last().kind, Kind::kResolved);
}

TEST_F(IncidentFolderTest, ARefusedChangeIsMadeAgainByTheSameCall) {
  sink_.failures_left = 1;
  const detect::SymptomEdge edge = Opened(SymptomMaker{}.Make());
  EXPECT_THAT(folder_->Fold(edge, now_, sink_),
              StatusIs(absl::StatusCode::kUnavailable));
  Fold(edge);
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kOpened));
}

TEST_F(IncidentFolderTest, RefusesAnEdgeWithoutEndpointOrFingerprint) {
  v1::Symptom nameless = SymptomMaker{}.Make();
  nameless.clear_fingerprint();
  EXPECT_THAT(folder_->Fold(Opened(nameless), now_, sink_),
              StatusIs(absl::StatusCode::kInvalidArgument));
  v1::Symptom homeless = SymptomMaker{}.Make();
  homeless.clear_endpoint_id();
  EXPECT_THAT(folder_->Fold(Opened(homeless), now_, sink_),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(IncidentFolderTest, AClearNobodyWaitsForChangesNothing) {
  Fold(Cleared(SymptomMaker{}.Make(), kNoon));
  EXPECT_TRUE(sink_.changes.empty());
}

}  // namespace
}  // namespace forewarn::correlate
