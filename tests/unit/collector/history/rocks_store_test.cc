#include "collector/history/rocks_store.h"

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::history {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::IsOkAndHolds;
using ::testing::SizeIs;

constexpr absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class RocksStoreTest : public ::testing::Test {
 protected:
  RocksStoreTest() { Open(); }

  void Open() {
    store_.reset();
    auto opened = RocksStore::Open({.directory = folder_ / "history",
                                    .raw_retention = absl::Hours(24),
                                    .batches_a_chunk = 10});
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }

  // Batch `sequence`: one tick, series 0 = sequence, series 1 = -sequence.
  EndpointBatch Batch(uint64_t sequence, uint32_t endpoint = 7) {
    EndpointBatch batch;
    batch.endpoint = endpoint;
    batch.batch.run_id = run_;
    batch.batch.sequence = sequence;
    batch.batch.ticks.push_back(
        {kStart + absl::Seconds(10 * sequence),
         {{0, double(sequence)}, {1, -double(sequence)}}});
    return batch;
  }

  void Define(uint32_t endpoint = 7) {
    std::vector<std::pair<uint32_t, SeriesRecord>> series;
    for (uint32_t i = 0; i < 2; ++i) {
      series.push_back({endpoint,
                        {i,
                         {.metric = i == 0 ? "a" : "b",
                          .unit = "1",
                          .kind = wire::MetricKind::kGauge,
                          .digits = 2,
                          .attributes = {{"k", "v"}}}}});
    }
    ASSERT_THAT(store_->Append(series, {}), IsOk());
  }

  std::vector<Sample> All(uint32_t series, uint32_t endpoint = 7) {
    auto samples = store_->Query(endpoint, series, absl::UnixEpoch(),
                                 absl::InfiniteFuture());
    EXPECT_THAT(samples, IsOk());
    return samples.ok() ? *samples : std::vector<Sample>();
  }

  testing::TemporaryFolder folder_;
  wire::RunId run_{1};
  std::unique_ptr<RocksStore> store_;
};

TEST_F(RocksStoreTest, WhatWasAppendedIsThereAfterARestart) {
  Define();
  ASSERT_THAT(store_->Append({}, {Batch(1), Batch(2)}), IsOk());
  Open();
  EXPECT_THAT(store_->LoadSeries(7), IsOkAndHolds(SizeIs(2)));
  EXPECT_THAT(store_->HighWater(7, run_), IsOkAndHolds(2u));
  const std::vector<Sample> samples = All(1);
  ASSERT_THAT(samples, SizeIs(2));
  EXPECT_EQ(samples[1].value, -2);
}

TEST_F(RocksStoreTest, ARepeatedSequenceChangesNothing) {
  Define();
  ASSERT_THAT(store_->Append({}, {Batch(1), Batch(2)}), IsOk());
  EndpointBatch again = Batch(2);
  again.batch.ticks[0].samples[0].value = 99;
  again.batch.ticks[0].time += absl::Seconds(1);
  ASSERT_THAT(store_->Append({}, {again, Batch(3)}), IsOk());
  EXPECT_THAT(All(0), SizeIs(3));
  Open();
  ASSERT_THAT(store_->Append({}, {again}), IsOk());
  EXPECT_THAT(All(0), SizeIs(3));
}

TEST_F(RocksStoreTest, RunsHaveMarksOfTheirOwn) {
  Define();
  ASSERT_THAT(store_->Append({}, {Batch(5)}), IsOk());
  EndpointBatch other = Batch(1);
  other.batch.run_id = wire::RunId{2};
  ASSERT_THAT(store_->Append({}, {other}), IsOk());
  EXPECT_THAT(All(0), SizeIs(2));
  EXPECT_THAT(store_->HighWater(7, run_), IsOkAndHolds(5u));
  EXPECT_THAT(store_->HighWater(7, wire::RunId{2}), IsOkAndHolds(1u));
  EXPECT_THAT(store_->HighWater(7, wire::RunId{3}), IsOkAndHolds(0u));
}

TEST_F(RocksStoreTest, ChunksAndBatchesReadAsOne) {
  Define();
  for (uint64_t i = 1; i <= 35; ++i) {
    ASSERT_THAT(store_->Append({}, {Batch(i)}), IsOk());
  }
  for (int i = 0; i < 4; ++i) {
    ASSERT_THAT(store_->Maintain(kStart + absl::Seconds(400)), IsOk());
  }
  std::vector<Sample> samples = All(0);
  ASSERT_THAT(samples, SizeIs(35));
  for (size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(samples[i].value, i + 1.0);
  }
  Open();
  EXPECT_THAT(All(0), SizeIs(35));
  auto part = store_->Query(7, 0, kStart + absl::Seconds(50),
                            kStart + absl::Seconds(330));
  ASSERT_THAT(part, IsOkAndHolds(SizeIs(28)));
  EXPECT_EQ(part->front().value, 5);
  EXPECT_EQ(part->back().value, 32);
}

TEST_F(RocksStoreTest, ReplayGivesEveryTickOnceInOrder) {
  Define();
  for (uint64_t i = 1; i <= 25; ++i) {
    ASSERT_THAT(store_->Append({}, {Batch(i)}), IsOk());
  }
  ASSERT_THAT(store_->Maintain(kStart + absl::Seconds(400)), IsOk());
  std::vector<wire::Tick> ticks;
  ASSERT_THAT(store_->Replay(7, kStart + absl::Seconds(60),
                             [&](const wire::Tick& tick) {
                               ticks.push_back(tick);
                             }),
              IsOk());
  ASSERT_THAT(ticks, SizeIs(20));
  for (size_t i = 0; i < ticks.size(); ++i) {
    ASSERT_THAT(ticks[i].samples, SizeIs(2));
    EXPECT_EQ(ticks[i].samples[0].value, i + 6.0);
  }
}

TEST_F(RocksStoreTest, OldSamplesGoAfterTheRetention) {
  Define();
  for (uint64_t i = 1; i <= 20; ++i) {
    ASSERT_THAT(store_->Append({}, {Batch(i)}), IsOk());
  }
  ASSERT_THAT(store_->Maintain(kStart), IsOk());
  ASSERT_THAT(store_->Maintain(kStart), IsOk());
  ASSERT_THAT(store_->Maintain(kStart + absl::Hours(48)), IsOk());
  EXPECT_THAT(All(0), SizeIs(0));
}

TEST_F(RocksStoreTest, EndpointsDoNotMix) {
  Define(7);
  Define(8);
  ASSERT_THAT(store_->Append({}, {Batch(1, 7), Batch(1, 8), Batch(2, 8)}),
              IsOk());
  EXPECT_THAT(All(0, 7), SizeIs(1));
  EXPECT_THAT(All(0, 8), SizeIs(2));
}

TEST_F(RocksStoreTest, EventsAreKept) {
  Define();
  EndpointBatch batch = Batch(1);
  for (int i = 0; i < 3; ++i) {
    v1::Event event;
    event.set_name("forewarn.event.oom_kill");
    event.mutable_time()->set_seconds(1'800'000'000 + i);
    batch.batch.events.push_back(event);
  }
  ASSERT_THAT(store_->Append({}, {batch}), IsOk());
  Open();
  auto events = store_->Events(7, kStart, absl::InfiniteFuture(), 2);
  ASSERT_THAT(events, IsOkAndHolds(SizeIs(2)));
  EXPECT_EQ((*events)[0].time().seconds(), 1'800'000'002);
}

TEST_F(RocksStoreTest, F12ADamagedDatabaseIsSetAsideNotACrashLoop) {
  Define();
  ASSERT_THAT(store_->Append({}, {Batch(1)}), IsOk());
  store_.reset();
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_ / "history")) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("MANIFEST", 0) == 0 || name == "CURRENT") {
      std::ofstream(entry.path(), std::ios::trunc) << "garbage";
    }
  }
  Open();
  Define();
  ASSERT_THAT(store_->Append({}, {Batch(2)}), IsOk());
  EXPECT_GE(All(0).size(), 1u);
}

}  // namespace
}  // namespace forewarn::history
