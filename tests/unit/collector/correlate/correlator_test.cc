#include "collector/correlate/correlator.h"

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "collector/correlate/memory_incidents.h"
#include "gtest/gtest.h"
#include "protos/base/mutex.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_forecasts.h"
#include "tests/support/memory_problems.h"
#include "tests/support/status_matchers.h"
#include "tests/support/wait_until.h"
#include "tests/unit/collector/correlate/symptom_maker.h"

namespace forewarn::correlate {
namespace {

using ::forewarn::testing::Cleared;
using ::forewarn::testing::FakeClock;
using ::forewarn::testing::FixedCohorts;
using ::forewarn::testing::kNoon;
using ::forewarn::testing::MemoryForecasts;
using ::forewarn::testing::MemoryProblems;
using ::forewarn::testing::Opened;
using ::forewarn::testing::SymptomMaker;
using Kind = IncidentChange::Kind;

// A desk that can be busy or closed, and is looked at from the test's thread.
class FakeDesk final : public IncidentSink,
                       public IncidentStore,
                       public MemoryProblems,
                       public MemoryForecasts {
 public:
  absl::StatusOr<v1::Incident> Accept(const IncidentChange& change) override {
    base::MutexLock lock(&mutex_);
    while (shut_) opened_.Wait(&mutex_);
    ++calls_;
    if (failures_left_ > 0) {
      --failures_left_;
      return failure_;
    }
    if (!change.symptoms.empty() && change.symptoms[0].rule() == "poison") {
      return absl::InternalError("cannot be kept");
    }
    changes_.push_back(change);
    return memory_.Accept(change);
  }
  absl::StatusOr<std::vector<v1::Incident>> OpenIncidents() override {
    base::MutexLock lock(&mutex_);
    return memory_.OpenIncidents();
  }
  absl::StatusOr<std::vector<v1::Symptom>> OpenSymptoms() override {
    base::MutexLock lock(&mutex_);
    return memory_.OpenSymptoms();
  }
  absl::StatusOr<std::optional<v1::Incident>> LastIncidentOf(
      const std::string& fingerprint, absl::Time since) override {
    base::MutexLock lock(&mutex_);
    return memory_.LastIncidentOf(fingerprint, since);
  }
  absl::StatusOr<std::optional<v1::Symptom>> LatestSymptomOf(
      const std::string& fingerprint) override {
    base::MutexLock lock(&mutex_);
    return memory_.LatestSymptomOf(fingerprint);
  }
  absl::StatusOr<std::vector<v1::Symptom>> SymptomsOf(
      uint32_t incident) override {
    base::MutexLock lock(&mutex_);
    return memory_.SymptomsOf(incident);
  }

  void FailNext(int times, absl::Status with) {
    base::MutexLock lock(&mutex_);
    failures_left_ = times;
    failure_ = std::move(with);
  }
  void Shut(bool shut) {
    base::MutexLock lock(&mutex_);
    shut_ = shut;
    opened_.NotifyAll();
  }
  std::vector<IncidentChange> changes() {
    base::MutexLock lock(&mutex_);
    return changes_;
  }
  int calls() {
    base::MutexLock lock(&mutex_);
    return calls_;
  }

 private:
  base::Mutex mutex_;
  base::CondVar opened_;
  bool shut_ = false;
  int calls_ = 0;
  int failures_left_ = 0;
  absl::Status failure_;
  MemoryIncidents memory_;
  std::vector<IncidentChange> changes_;
};

const FixedCohorts kNobody;

v1::Symptom OnEndpoint(int i) {
  return SymptomMaker{.endpoint = absl::StrCat("endpoint-", i)}.Make();
}

TEST(CorrelatorTest, StopWorksOffWhatIsQueued) {
  FakeDesk desk;
  FakeClock clock(kNoon);
  Correlator correlator({}, desk, desk, {desk, desk, kNobody, desk}, clock);
  FOREWARN_ASSERT_OK(correlator.Start());
  for (int i = 0; i < 500; ++i) correlator.Accept(Opened(OnEndpoint(i)));
  correlator.Stop();
  EXPECT_EQ(desk.changes().size(), 500u);
}

TEST(CorrelatorTest, RetriesInOrderWhileTheDeskIsBusy) {
  FakeDesk desk;
  FakeClock clock(kNoon);
  Correlator correlator({}, desk, desk, {desk, desk, kNobody, desk}, clock);
  desk.FailNext(6, absl::UnavailableError("database is locked"));
  FOREWARN_ASSERT_OK(correlator.Start());
  for (int i = 0; i < 3; ++i) correlator.Accept(Opened(OnEndpoint(i)));
  ASSERT_TRUE(testing::WaitUntil([&] { return desk.changes().size() == 3; }));
  correlator.Stop();
  const std::vector<IncidentChange> changes = desk.changes();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(changes[i].incident.endpoint_id(), absl::StrCat("endpoint-", i));
  }
}

TEST(CorrelatorTest, OneSymptomThatCannotBeKeptHoldsUpNoOther) {
  FakeDesk desk;
  FakeClock clock(kNoon);
  Correlator correlator({}, desk, desk, {desk, desk, kNobody, desk}, clock);
  FOREWARN_ASSERT_OK(correlator.Start());
  correlator.Accept(Opened(SymptomMaker{.rule = "poison"}.Make()));
  correlator.Accept(Opened(OnEndpoint(1)));
  ASSERT_TRUE(testing::WaitUntil([&] { return desk.changes().size() == 1; }));
  correlator.Stop();
  EXPECT_EQ(desk.changes()[0].incident.endpoint_id(), "endpoint-1");
}

TEST(CorrelatorTest, AFullQueueBlocksTheSenderAndLosesNothing) {
  FakeDesk desk;
  FakeClock clock(kNoon);
  Correlator correlator({.queue_bound = 1}, desk, desk, {desk, desk, kNobody, desk},
                        clock);
  desk.Shut(true);
  FOREWARN_ASSERT_OK(correlator.Start());
  std::thread sender([&] {
    for (int i = 0; i < 50; ++i) correlator.Accept(Opened(OnEndpoint(i)));
  });
  desk.Shut(false);
  sender.join();
  correlator.Stop();
  EXPECT_EQ(desk.changes().size(), 50u);
}

TEST(CorrelatorTest, ResolvesWhenTheClockSaysQuietIsOver) {
  FakeDesk desk;
  FakeClock clock(kNoon);
  Correlator correlator({}, desk, desk, {desk, desk, kNobody, desk}, clock);
  FOREWARN_ASSERT_OK(correlator.Start());
  correlator.Accept(Opened(OnEndpoint(1)));
  correlator.Accept(Cleared(OnEndpoint(1), kNoon));
  ASSERT_TRUE(testing::WaitUntil([&] { return desk.changes().size() == 2; }));
  clock.Advance(absl::Minutes(15));
  ASSERT_TRUE(testing::WaitUntil([&] { return desk.changes().size() == 3; }));
  EXPECT_EQ(desk.changes()[2].kind, Kind::kResolved);
  correlator.Stop();
}

TEST(CorrelatorTest, StopsThoughTheDeskStaysBusy) {
  FakeDesk desk;
  FakeClock clock(kNoon);
  Correlator correlator({}, desk, desk, {desk, desk, kNobody, desk}, clock);
  desk.FailNext(1'000'000, absl::ResourceExhaustedError("disk full"));
  FOREWARN_ASSERT_OK(correlator.Start());
  correlator.Accept(Opened(OnEndpoint(1)));
  ASSERT_TRUE(testing::WaitUntil([&] { return desk.calls() > 0; }));
  correlator.Stop();
  EXPECT_TRUE(desk.changes().empty());
}

TEST(CorrelatorTest, GoesOnFromWhatTheStoreHolds) {
  FakeDesk desk;
  FakeClock clock(kNoon);
  {
    Correlator first({}, desk, desk, {desk, desk, kNobody, desk}, clock);
    FOREWARN_ASSERT_OK(first.Start());
    first.Accept(Opened(OnEndpoint(1)));
    first.Stop();
  }
  Correlator second({}, desk, desk, {desk, desk, kNobody, desk}, clock);
  FOREWARN_ASSERT_OK(second.Start());
  second.Accept(Opened(OnEndpoint(1)));
  second.Accept(Cleared(OnEndpoint(1), kNoon));
  second.Stop();
  ASSERT_EQ(desk.changes().size(), 2u);
  EXPECT_EQ(desk.changes()[1].kind, Kind::kAllClear);
}

}  // namespace
}  // namespace forewarn::correlate
