#include "collector/detect/silence_detector.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/collector/detect/recording_sink.h"

namespace forewarn::detect {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SilenceDetectorTest : public ::testing::Test {
 protected:
  SilenceDetector Make(v1::EndpointClass endpoint_class) {
    EndpointProfile profile;
    profile.id = "1";
    profile.host_name = "host";
    profile.endpoint_class = endpoint_class;
    return SilenceDetector(profile, {}, sink_);
  }
  // Checks every 5 s.
  void Wait(SilenceDetector& detector, absl::Duration time) {
    const absl::Time end = now_ + time;
    for (; now_ <= end; now_ += absl::Seconds(5)) detector.Check(now_);
  }

  RecordingSink sink_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(SilenceDetectorTest, AServerThatVanishesIsLostAfterFiveMinutes) {
  SilenceDetector detector = Make(v1::ENDPOINT_CLASS_SERVER);
  detector.Heard(now_);
  Wait(detector, absl::Minutes(4));
  EXPECT_THAT(sink_.Story(), IsEmpty());
  EXPECT_EQ(detector.presence(), v1::PRESENCE_ONLINE);
  Wait(detector, absl::Hours(2));
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P2 agent_lost_server"));
  EXPECT_EQ(detector.presence(), v1::PRESENCE_LOST);
  detector.Heard(now_);
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P2 agent_lost_server",
                                         "cleared P2 agent_lost_server"));
  EXPECT_EQ(sink_.edges[0].symptom.fingerprint(),
            sink_.edges[1].symptom.fingerprint());
}

TEST_F(SilenceDetectorTest, ALaptopOutOfReachIsNotedAndMissedAfterAWeek) {
  SilenceDetector detector = Make(v1::ENDPOINT_CLASS_LAPTOP);
  detector.Heard(now_);
  Wait(detector, absl::Minutes(29));
  EXPECT_THAT(sink_.Story(), IsEmpty());
  Wait(detector, absl::Hours(24 * 6));
  EXPECT_THAT(sink_.Story(),
              ElementsAre("opened INFO agent_lost_workstation"));
  Wait(detector, absl::Hours(24 * 7));
  EXPECT_THAT(sink_.Story(), ElementsAre("opened INFO agent_lost_workstation",
                                         "updated P4 agent_lost_workstation"));
  detector.Heard(now_);
  EXPECT_EQ(sink_.Story().back(), "cleared P4 agent_lost_workstation");
}

TEST_F(SilenceDetectorTest,
       AWorkstationThatVanishesIsPlannedCareAfterHalfAnHour) {
  SilenceDetector detector = Make(v1::ENDPOINT_CLASS_WORKSTATION);
  detector.Heard(now_);
  Wait(detector, absl::Minutes(29));
  EXPECT_THAT(sink_.Story(), IsEmpty());
  Wait(detector, absl::Minutes(5));
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P4 agent_lost_workstation"));
}

TEST_F(SilenceDetectorTest, ALaptopThatSleepsOrIsSwitchedOffIsNoIncident) {
  for (const v1::Goodbye::Reason reason :
       {v1::Goodbye::REASON_SUSPEND, v1::Goodbye::REASON_SHUTDOWN}) {
    SilenceDetector detector = Make(v1::ENDPOINT_CLASS_LAPTOP);
    detector.Heard(now_);
    detector.SaidGoodbye(reason, now_);
    Wait(detector, absl::Hours(24 * 7));
  }
  EXPECT_THAT(sink_.Story(), IsEmpty());
}

TEST_F(SilenceDetectorTest, AStoppedAgentIsToldAfterHalfAnHour) {
  SilenceDetector detector = Make(v1::ENDPOINT_CLASS_WORKSTATION);
  detector.Heard(now_);
  detector.SaidGoodbye(v1::Goodbye::REASON_STOP, now_);
  Wait(detector, absl::Minutes(29));
  EXPECT_THAT(sink_.Story(), IsEmpty());
  Wait(detector, absl::Hours(2));
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 agent_stopped"));
  EXPECT_EQ(detector.presence(), v1::PRESENCE_STOPPED);
}

TEST_F(SilenceDetectorTest, ARestartOfTheCollectorDoesNotHideWhoIsMissed) {
  SilenceDetector detector = Make(v1::ENDPOINT_CLASS_LAPTOP);
  detector.Resume(v1::PRESENCE_LOST, now_ - absl::Hours(24 * 30), now_, false);
  Wait(detector, absl::Hours(1));
  EXPECT_THAT(sink_.Story(), ElementsAre("opened INFO agent_lost_workstation",
                                         "updated P4 agent_lost_workstation"));
}

TEST_F(SilenceDetectorTest, AServerThatWasShutDownIsToldAfterHalfAnHour) {
  SilenceDetector detector = Make(v1::ENDPOINT_CLASS_SERVER);
  detector.Heard(now_);
  detector.SaidGoodbye(v1::Goodbye::REASON_SHUTDOWN, now_);
  EXPECT_EQ(detector.presence(), v1::PRESENCE_OFF);
  Wait(detector, absl::Minutes(31));
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P3 agent_stopped"));
}

TEST_F(SilenceDetectorTest, WhoWasNeverHeardIsNotMissed) {
  SilenceDetector detector = Make(v1::ENDPOINT_CLASS_SERVER);
  Wait(detector, absl::Hours(24));
  EXPECT_THAT(sink_.Story(), IsEmpty());
}

TEST_F(SilenceDetectorTest, TheCollectorsOwnDowntimeDoesNotCount) {
  SilenceDetector detector = Make(v1::ENDPOINT_CLASS_SERVER);
  detector.Resume(v1::PRESENCE_ONLINE, now_ - absl::Hours(5), now_, false);
  Wait(detector, absl::Minutes(4));
  EXPECT_THAT(sink_.Story(), IsEmpty());
  Wait(detector, absl::Minutes(2));
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P2 agent_lost_server"));
}

TEST_F(SilenceDetectorTest, AnOpenSymptomSurvivesARestartAndClears) {
  SilenceDetector before = Make(v1::ENDPOINT_CLASS_SERVER);
  before.Heard(now_);
  Wait(before, absl::Minutes(10));
  SilenceDetector after = Make(v1::ENDPOINT_CLASS_SERVER);
  after.Resume(before.presence(), before.last_heard(), now_, true);
  ASSERT_TRUE(after.Standing().has_value());
  EXPECT_EQ(after.Standing()->fingerprint(),
            before.Standing()->fingerprint());
  Wait(after, absl::Hours(1));
  EXPECT_THAT(sink_.Story(), ElementsAre("opened P2 agent_lost_server"));
  after.Heard(now_);
  EXPECT_EQ(sink_.Story().back(), "cleared P2 agent_lost_server");
  EXPECT_FALSE(after.Standing().has_value());
}

TEST_F(SilenceDetectorTest, SaysSinceWhenAndHowLong) {
  SilenceDetector detector = Make(v1::ENDPOINT_CLASS_SERVER);
  const absl::Time heard = now_;
  detector.Heard(now_);
  Wait(detector, absl::Minutes(6));
  const v1::Symptom& symptom = sink_.edges.at(0).symptom;
  EXPECT_EQ(symptom.since().seconds(), absl::ToUnixSeconds(heard));
  EXPECT_EQ(symptom.evidence().value(), 300);
  EXPECT_EQ(symptom.title().key(), "rule.agent_lost_server.title");
  EXPECT_GT(symptom.runbook().steps_size(), 0);
}

}  // namespace
}  // namespace forewarn::detect
