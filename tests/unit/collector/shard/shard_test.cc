#include "collector/shard/shard.h"

#include <fstream>
#include <utility>

#include "collector/history/rocks_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/flaky_history.h"
#include "tests/support/memory_endpoint_store.h"
#include "tests/support/recording_symptoms.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/wait_until.h"

namespace forewarn::shard {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::WaitUntil;
using Kind = detect::SymptomEdge::Kind;

constexpr absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

// Fires when forewarn.memory.used is above 90 % at once.
constexpr char kRule[] = R"(
rules:
- id: test_memory
  subsystem: memory
  title: "Memory of {host} is full"
  explanation: "Too full."
  signal: {metric: forewarn.memory.used}
  levels:
  - {priority: P2, above: 90%, clear: 80%}
- id: test_disk
  subsystem: disk
  title: "The disk of {host} is busy"
  explanation: "Too busy for long."
  signal: {metric: forewarn.disk.utilization}
  levels:
  - {priority: P3, above: 90%, clear: 80%, hold: 5min}
)";

class RecordingLink final : public StreamLink {
 public:
  void Acknowledge(const wire::RunId&, uint64_t sequence,
                   std::vector<wire::DroppedSample>) override {
    base::MutexLock lock(&mutex_);
    acknowledged_ = sequence;
    ++acks_;
  }
  void SetPace(absl::Duration, absl::Duration, absl::string_view) override {
    base::MutexLock lock(&mutex_);
    ++paces_;
  }
  void Fail(const absl::Status& status) override {
    base::MutexLock lock(&mutex_);
    failed_ = status;
  }
  uint64_t acknowledged() const {
    base::MutexLock lock(&mutex_);
    return acknowledged_;
  }
  int acks() const {
    base::MutexLock lock(&mutex_);
    return acks_;
  }
  int paces() const {
    base::MutexLock lock(&mutex_);
    return paces_;
  }
  absl::Status failed() const {
    base::MutexLock lock(&mutex_);
    return failed_;
  }

 private:
  mutable base::Mutex mutex_;
  uint64_t acknowledged_ ABSL_GUARDED_BY(mutex_) = 0;
  int acks_ ABSL_GUARDED_BY(mutex_) = 0;
  int paces_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failed_ ABSL_GUARDED_BY(mutex_);
};

class ShardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("rules/test.yaml", kRule);
    EXPECT_THAT(detect::RuleSet::Load(folder_ / "rules", {}, rules_),
                ::testing::IsEmpty());
    auto opened = history::RocksStore::Open({.directory = folder_ / "history"});
    ASSERT_THAT(opened, IsOk());
    rocks_ = *std::move(opened);
    history_ = std::make_unique<testing::FlakyHistory>(*rocks_);
    FOREWARN_ASSERT_OK(
        registry_.Enroll(kId, v1::EndpointFacts(), "01", kStart, kStart));
    StartShard();
  }
  void TearDown() override { shard_->Stop(); }

  void StartShard() {
    shard_ = std::make_unique<Shard>(options_, rules_, *history_, registry_,
                                     symptoms_, metrics_, clock_);
    shard_->Start();
  }

  static detect::EndpointProfile Profile() {
    detect::EndpointProfile profile;
    profile.id = kId;
    profile.host_name = "alpha";
    return profile;
  }

  std::shared_ptr<RecordingLink> OpenStream(uint64_t stream) {
    auto link = std::make_shared<RecordingLink>();
    shard_->Post(StreamOpened{stream, 1, Profile(), link});
    return link;
  }

  void Send(uint64_t stream, uint64_t sequence, double used,
            bool define = false, uint8_t run = 5,
            const std::string& metric = "forewarn.memory.used") {
    BatchArrived arrived;
    arrived.stream = stream;
    if (define) {
      arrived.definitions.push_back({.metric = metric,
                                     .unit = "1",
                                     .kind = wire::MetricKind::kGauge,
                                     .digits = 4,
                                     .attributes = {}});
    }
    arrived.batch.run_id = wire::RunId{run};
    arrived.batch.sequence = sequence;
    arrived.batch.ticks.push_back(
        {clock_.Now() + absl::Seconds(10 * sequence), {{0, used}}});
    shard_->Post(std::move(arrived));
  }

  size_t Kept() {
    const auto samples =
        rocks_->Query(1, 0, absl::UnixEpoch(), absl::InfiniteFuture());
    return samples.ok() ? samples->size() : 0;
  }

  static constexpr char kId[] = "0b5f6a3e-0000-4000-8000-000000000001";
  testing::TemporaryFolder folder_;
  testing::FakeClock clock_{kStart};
  Shard::Options options_;
  detect::RuleSet rules_;
  std::unique_ptr<history::RocksStore> rocks_;
  std::unique_ptr<testing::FlakyHistory> history_;
  testing::MemoryEndpointStore endpoints_;
  fleet::EndpointRegistry registry_{endpoints_};
  testing::RecordingSymptoms symptoms_;
  metrics::SelfMetrics metrics_{"test"};
  std::unique_ptr<Shard> shard_;
};

TEST_F(ShardTest, WhatIsAcknowledgedIsDurable) {
  const auto link = OpenStream(1);
  Send(1, 1, 0.5, /*define=*/true);
  Send(1, 2, 0.6);
  ASSERT_TRUE(WaitUntil([&] { return link->acknowledged() == 2; }));
  EXPECT_EQ(Kept(), 2u);
}

TEST_F(ShardTest, ARepeatedBatchIsAcknowledgedAndJudgedOnce) {
  const auto link = OpenStream(1);
  Send(1, 1, 0.95, true);
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == 1; }));
  Send(1, 1, 0.95);
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == 2; }));
  EXPECT_EQ(Kept(), 1u);
  EXPECT_EQ(symptoms_.Count(Kind::kOpened), 1);
}

TEST_F(ShardTest, NothingIsAcknowledgedThatHistoryCouldNotKeep) {
  const auto link = OpenStream(1);
  history_->Fail(true);
  Send(1, 1, 0.5, true);
  ASSERT_TRUE(WaitUntil([&] { return !link->failed().ok(); }));
  EXPECT_EQ(link->acks(), 0);
  // Not the batch's fault: the agent must not give it up.
  EXPECT_EQ(link->failed().code(), absl::StatusCode::kUnavailable);
  // The agent comes back and sends it again.
  history_->Fail(false);
  const auto again = OpenStream(2);
  Send(2, 1, 0.5, true);
  ASSERT_TRUE(WaitUntil([&] { return again->acknowledged() == 1; }));
  EXPECT_EQ(Kept(), 1u);
  EXPECT_THAT(rocks_->LoadSeries(1),
              testing::IsOkAndHolds(::testing::SizeIs(1)));
}

TEST_F(ShardTest, AnUrgentSymptomAsksTheAgentForAFasterTick) {
  const auto link = OpenStream(1);
  Send(1, 1, 0.95, true);
  ASSERT_TRUE(WaitUntil([&] { return link->paces() == 1; }));
  const auto edges = symptoms_.edges();
  ASSERT_FALSE(edges.empty());
  EXPECT_EQ(edges.back().symptom.host_name(), "alpha");
}

TEST_F(ShardTest, AfterARestartStandingSymptomsAreToldNotOpenedAnew) {
  const auto link = OpenStream(1);
  Send(1, 1, 0.95, true);
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == 1; }));
  shard_->Stop();
  const std::string fingerprint =
      symptoms_.edges().back().symptom.fingerprint();
  StartShard();
  clock_.Advance(absl::Seconds(30));
  const auto again = OpenStream(2);
  ASSERT_TRUE(
      WaitUntil([&] { return symptoms_.Count(Kind::kReconciled) == 2; }));
  EXPECT_EQ(symptoms_.Count(Kind::kOpened), 1);
  ASSERT_EQ(symptoms_.Count(Kind::kStanding), 1);
  for (const detect::SymptomEdge& edge : symptoms_.edges()) {
    if (edge.kind == Kind::kStanding) {
      EXPECT_EQ(edge.symptom.fingerprint(), fingerprint);
    }
  }
}

TEST_F(ShardTest, DetectorsGoOnFromTheirCheckpoint) {
  auto link = OpenStream(1);
  Send(1, 1, 0.95, true);
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == 1; }));
  shard_->Stop();
  options_.endpoint.warm_up = absl::ZeroDuration();  // history tells nothing
  StartShard();
  OpenStream(2);
  ASSERT_TRUE(
      WaitUntil([&] { return symptoms_.Count(Kind::kReconciled) == 2; }));
  EXPECT_EQ(symptoms_.Count(Kind::kStanding), 1);
}

TEST_F(ShardTest, P15ADamagedCheckpointIsMadeUpForFromHistory) {
  auto link = OpenStream(1);
  Send(1, 1, 0.95, true);
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == 1; }));
  shard_->Stop();
  const auto state = history_->LoadState(1);
  ASSERT_THAT(state, IsOk());
  ASSERT_FALSE(state->empty());
  std::string damaged = *state;
  damaged[damaged.size() / 2] ^= 1;
  FOREWARN_ASSERT_OK(history_->KeepState(1, damaged));
  StartShard();
  OpenStream(2);
  ASSERT_TRUE(
      WaitUntil([&] { return symptoms_.Count(Kind::kReconciled) == 2; }));
  EXPECT_EQ(symptoms_.Count(Kind::kStanding), 1);
}

TEST_F(ShardTest, AcksDoNotWaitForDetectorsThatAreStillCold) {
  shard_->Stop();
  options_.aside = absl::ZeroDuration();  // never comes to it
  StartShard();
  const auto link = OpenStream(1);
  Send(1, 1, 0.95, true);
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == 1; }));
  EXPECT_EQ(symptoms_.Count(Kind::kReconciled), 0);
  // What nobody judged is in the history for who comes next.
  shard_->Stop();
  options_.aside = absl::Milliseconds(50);
  StartShard();
  OpenStream(2);
  ASSERT_TRUE(
      WaitUntil([&] { return symptoms_.Count(Kind::kReconciled) == 1; }));
  EXPECT_EQ(symptoms_.Count(Kind::kStanding), 1);
}

TEST_F(ShardTest, ASeriesKeepsItsNumberThoughDetectorsAreStillCold) {
  auto link = OpenStream(1);
  Send(1, 1, 0.5, true, 5, "forewarn.cpu.busy");
  Send(1, 2, 0.6);
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == 2; }));
  shard_->Stop();
  options_.aside = absl::ZeroDuration();  // stays cold
  StartShard();
  link = OpenStream(2);
  // Another series comes first this time.
  Send(2, 1, 0.9, true, 6);
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == 1; }));
  const auto series = rocks_->LoadSeries(1);
  ASSERT_THAT(series, IsOk());
  ASSERT_EQ(series->size(), 2u);
  EXPECT_EQ((*series)[0].definition.metric, "forewarn.cpu.busy");
  EXPECT_EQ((*series)[1].definition.metric, "forewarn.memory.used");
  EXPECT_EQ(Kept(), 2u);
}

TEST_F(ShardTest, P15AnEndpointWhoseHistoryIsDamagedHoldsUpNoOther) {
  constexpr char kOther[] = "0b5f6a3e-0000-4000-8000-000000000002";
  FOREWARN_ASSERT_OK(
      registry_.Enroll(kOther, v1::EndpointFacts(), "02", kStart, kStart));
  detect::EndpointProfile other = Profile();
  other.id = kOther;
  const auto neighbour = std::make_shared<RecordingLink>();
  const auto link = OpenStream(1);
  shard_->Post(StreamOpened{2, 2, other, neighbour});
  Send(1, 1, 0.5, true);
  Send(2, 1, 0.5, true);
  ASSERT_TRUE(
      WaitUntil([&] { return link->acks() == 1 && neighbour->acks() == 1; }));
  history_->Damage(1);
  Send(2, 2, 0.5);
  Send(1, 2, 0.5);
  Send(2, 3, 0.5);
  ASSERT_TRUE(WaitUntil([&] { return neighbour->acks() == 3; }));
  EXPECT_TRUE(neighbour->failed().ok());
  EXPECT_TRUE(absl::IsUnavailable(link->failed()));
  EXPECT_EQ(link->acks(), 1);
  // Nor does it come back before somebody mended it.
  shard_->Stop();
  StartShard();
  const auto again = OpenStream(3);
  ASSERT_TRUE(WaitUntil([&] { return !again->failed().ok(); }));
}

TEST_F(ShardTest, ABacklogBehindWhatIsNewIsLearntOnceItIsComplete) {
  const auto link = OpenStream(1);
  constexpr uint64_t kBacklog = 60;  // of ten minutes
  Send(1, kBacklog, 0.95, true, 9, "forewarn.disk.utilization");
  for (uint64_t sequence = 1; sequence < kBacklog; ++sequence) {
    Send(1, sequence, 0.95);
  }
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == int{kBacklog}; }));
  EXPECT_EQ(Kept(), size_t{kBacklog});
  EXPECT_EQ(symptoms_.Count(Kind::kOpened), 0);
  clock_.Advance(absl::Seconds(16));
  ASSERT_TRUE(
      WaitUntil([&] { return symptoms_.Count(Kind::kReconciled) == 2; }));
  EXPECT_EQ(symptoms_.Count(Kind::kStanding), 1);
  // From then on as if it had come in order.
  Send(1, kBacklog + 1, 0.2, false, 9);
  ASSERT_TRUE(WaitUntil([&] { return symptoms_.Count(Kind::kCleared) == 1; }));
}

TEST_F(ShardTest, AServerThatVanishesIsASymptomAndOneThatComesBackClearsIt) {
  const auto link = OpenStream(1);
  Send(1, 1, 0.5, true);
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == 1; }));
  shard_->Post(StreamClosed{1});
  clock_.Advance(absl::Minutes(6));
  ASSERT_TRUE(WaitUntil([&] { return symptoms_.Count(Kind::kOpened) == 1; }));
  EXPECT_EQ(symptoms_.edges().back().symptom.rule(), "agent_lost_server");
  ASSERT_TRUE(WaitUntil(
      [&] { return registry_.Find(kId)->presence() == v1::PRESENCE_LOST; }));
  OpenStream(2);
  ASSERT_TRUE(WaitUntil([&] { return symptoms_.Count(Kind::kCleared) == 1; }));
  EXPECT_EQ(registry_.Find(kId)->presence(), v1::PRESENCE_ONLINE);
}

TEST_F(ShardTest, P13TheCollectorsOwnDowntimeIsNoSilence) {
  shard_->Stop();
  clock_.Advance(absl::Hours(3));
  StartShard();
  shard_->Post(EndpointKnown{1, Profile(), v1::PRESENCE_ONLINE, kStart});
  clock_.Advance(absl::Minutes(4));
  const auto link = OpenStream(1);
  Send(1, 1, 0.5, true);
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == 1; }));
  EXPECT_EQ(symptoms_.Count(Kind::kOpened), 0);
}

TEST_F(ShardTest, BatchesOfAnUnknownStreamChangeNothing) {
  Send(77, 1, 0.5, true);
  const auto link = OpenStream(1);
  Send(1, 1, 0.5, true);
  ASSERT_TRUE(WaitUntil([&] { return link->acks() == 1; }));
  EXPECT_EQ(Kept(), 1u);
}

}  // namespace
}  // namespace forewarn::shard
