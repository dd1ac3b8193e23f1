#include "collector/history/rocks_store.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "tests/support/fake_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::history {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::IsOkAndHolds;
using ::forewarn::testing::StatusIs;
using ::testing::SizeIs;

constexpr absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class RocksStoreTest : public ::testing::Test {
 protected:
  RocksStoreTest() { Open(); }

  void Open() {
    store_.reset();
    auto opened = RocksStore::Open({.directory = folder_ / "history",
                                    .raw_retention = absl::Hours(24),
                                    .max_bytes = max_bytes_,
                                    .min_free_bytes = min_free_bytes_,
                                    .block_ticks = 10,
                                    .segment_bytes = segment_bytes_},
                                   files_);
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
  testing::FakeFiles files_;
  uint64_t segment_bytes_ = 1 << 20;
  uint64_t max_bytes_ = 0;
  uint64_t min_free_bytes_ = 0;
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

TEST_F(RocksStoreTest, SealedAndOpenBlocksReadAsOne) {
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
  ASSERT_THAT(
      store_->Replay(7, kStart + absl::Seconds(60),
                     [&](const wire::Tick& tick) { ticks.push_back(tick); }),
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

TEST_F(RocksStoreTest, OverItsSizeTheOldestGoFirst) {
  max_bytes_ = 5000;
  Open();
  Define();
  // Two days in steps of five minutes, of values that do not compress.
  std::mt19937_64 random(3);
  constexpr int kBatches = 576;
  for (uint64_t i = 1; i <= kBatches; ++i) {
    EndpointBatch batch = Batch(i);
    batch.batch.ticks[0].time = kStart + absl::Minutes(5 * i);
    for (wire::Sample& sample : batch.batch.ticks[0].samples) {
      sample.value = static_cast<double>(random() >> 20) / 100;
    }
    ASSERT_THAT(store_->Append({}, {batch}), IsOk());
  }
  ASSERT_THAT(store_->Flush(), IsOk());
  // Within the retention of a day from here.
  const absl::Time now = kStart + absl::Minutes(5 * kBatches);
  ASSERT_THAT(store_->Maintain(now - absl::Hours(24)), IsOk());
  const std::vector<Sample> samples = All(0);
  ASSERT_FALSE(samples.empty());
  EXPECT_LT(samples.size(), size_t{kBatches});
  EXPECT_GT(samples.front().time, kStart + absl::Hours(1));
  EXPECT_EQ(samples.back().time, now);
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

TEST_F(RocksStoreTest, TheLogIsDroppedOnceAllOfItIsSealed) {
  segment_bytes_ = 200;
  Open();
  Define(7);
  Define(8);
  // Endpoint 8 falls silent early: its open block must not hold the log.
  ASSERT_THAT(store_->Append({}, {Batch(1, 8)}), IsOk());
  for (uint64_t i = 1; i <= 95; ++i) {
    ASSERT_THAT(store_->Append({}, {Batch(i)}), IsOk());
  }
  EXPECT_GT(files_.paths().size(), 10u);
  ASSERT_THAT(store_->Maintain(kStart), IsOk());
  EXPECT_LE(files_.paths().size(), 5u);
  EXPECT_THAT(All(0, 8), SizeIs(1));
  Open();
  EXPECT_THAT(All(0), SizeIs(95));
  EXPECT_THAT(All(0, 8), SizeIs(1));
  EXPECT_THAT(store_->HighWater(8, run_), IsOkAndHolds(1u));
}

TEST_F(RocksStoreTest, AFailedSyncKeepsNothingAndTheNextOneWorks) {
  Define();
  ASSERT_THAT(store_->Append({}, {Batch(1)}), IsOk());
  files_.FailAt(2);  // an append, then its sync
  EXPECT_FALSE(store_->Append({}, {Batch(2), Batch(3)}).ok());
  EXPECT_THAT(store_->HighWater(7, run_), IsOkAndHolds(1u));
  EXPECT_THAT(All(0), SizeIs(1));
  files_.FailAt(0);
  ASSERT_THAT(store_->Append({}, {Batch(2)}), IsOk());
  ASSERT_THAT(store_->Append({}, {Batch(3), Batch(4)}), IsOk());
  for (int i = 0; i < 2; ++i) {
    const std::vector<Sample> samples = All(0);
    ASSERT_THAT(samples, SizeIs(4));
    for (size_t k = 0; k < 4; ++k) EXPECT_EQ(samples[k].value, k + 1.0);
    Open();
  }
}

TEST_F(RocksStoreTest, DamageToTheLogCostsWhatIsDamagedAndInventsNothing) {
  segment_bytes_ = 1 << 20;
  Define();
  for (uint64_t i = 1; i <= 9; ++i) {
    ASSERT_THAT(store_->Append({}, {Batch(i)}), IsOk());
  }
  store_.reset();
  const std::string log = files_.paths().front();
  const size_t size = files_.Read(log, 1 << 20)->size();
  for (size_t i = 0; i < 6; ++i) files_.Damage(log, size / 2 + i, 'x');
  Open();
  const std::vector<Sample> samples = All(0);
  EXPECT_GE(samples.size(), 2u);
  EXPECT_LT(samples.size(), 9u);
  for (const Sample& sample : samples) {
    EXPECT_EQ(sample.time, kStart + absl::Seconds(10 * sample.value));
  }
  ASSERT_THAT(store_->Append({}, {Batch(10)}), IsOk());
  EXPECT_EQ(All(0).back().value, 10);
}

TEST_F(RocksStoreTest, F05WhatWasAppendedSurvivesAPowerCut) {
  Define();
  for (uint64_t i = 1; i <= 14; ++i) {
    ASSERT_THAT(store_->Append({}, {Batch(i)}), IsOk());
  }
  files_.CutPower();
  Open();
  EXPECT_THAT(All(0), SizeIs(14));
  EXPECT_THAT(store_->HighWater(7, run_), IsOkAndHolds(14u));
}

TEST_F(RocksStoreTest, ABacklogIsReadInOrder) {
  Define();
  for (const uint64_t i : {20, 21, 22, 1, 2, 3, 23, 4, 5, 24, 6, 25}) {
    EndpointBatch batch = Batch(i);
    batch.batch.run_id = i < 20 ? wire::RunId{9} : run_;
    ASSERT_THAT(store_->Append({}, {batch}), IsOk());
  }
  const std::vector<Sample> samples = All(0);
  ASSERT_THAT(samples, SizeIs(12));
  EXPECT_TRUE(std::is_sorted(
      samples.begin(), samples.end(),
      [](const Sample& a, const Sample& b) { return a.time < b.time; }));
}

TEST_F(RocksStoreTest, FlushLeavesAllInTheDatabase) {
  Define();
  for (uint64_t i = 1; i <= 5; ++i) {
    ASSERT_THAT(store_->Append({}, {Batch(i)}), IsOk());
  }
  ASSERT_THAT(store_->Flush(), IsOk());
  EXPECT_THAT(files_.paths(), SizeIs(0));
  Open();
  EXPECT_THAT(All(0), SizeIs(5));
}

TEST_F(RocksStoreTest, F12ADamagedDatabaseIsSetAsideNotACrashLoop) {
  Define();
  ASSERT_THAT(store_->Append({}, {Batch(1)}), IsOk());
  store_.reset();
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_ / "history/blocks")) {
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

TEST_F(RocksStoreTest, F8WithoutRoomNothingIsTakenAndTheProcessLives) {
  Define();
  ASSERT_THAT(store_->Append({}, {Batch(1)}), IsOk());
  store_.reset();
  min_free_bytes_ = uint64_t{1} << 60;
  const RocksOptions options = {.directory = folder_ / "history",
                                .min_free_bytes = min_free_bytes_};
  EXPECT_THAT(RocksStore::Open(options, files_).status(),
              StatusIs(absl::StatusCode::kResourceExhausted));
  min_free_bytes_ = 0;
  Open();
  EXPECT_THAT(All(0), SizeIs(1));
}

// RocksDB forgets what it has not flushed; the log gives it all back, and that
// is far more than a block.
TEST_F(RocksStoreTest, AfterAKillALongLogIsNoReasonToRefuse) {
  Define();
  for (uint64_t i = 1; i <= 400; ++i) {  // 40 blocks
    ASSERT_THAT(store_->Append({}, {Batch(i)}), IsOk());
  }
  const std::string left = folder_ / "left";
  std::filesystem::copy(folder_ / "history", left,
                        std::filesystem::copy_options::recursive);
  store_.reset();
  std::filesystem::remove_all(folder_ / "history");
  std::filesystem::rename(left, folder_ / "history");
  Open();
  EXPECT_THAT(All(0), SizeIs(400));
  EXPECT_THAT(store_->Append({}, {Batch(401)}), IsOk());
  EXPECT_THAT(All(0), SizeIs(401));
}

// A refused batch may be in the log all the same. After a kill it is found
// there and counts as kept: then it must survive the power too.
TEST_F(RocksStoreTest, P1WhatAKillLeftUnsyncedIsDurableOnceItIsReliedOn) {
  Define();
  ASSERT_THAT(store_->Append({}, {Batch(1)}), IsOk());
  ASSERT_THAT(store_->Flush(), IsOk());
  ASSERT_THAT(store_->Append({}, {Batch(2)}), IsOk());
  files_.FailAt(3, absl::UnavailableError("i/o error"));  // mark, entry, sync
  ASSERT_FALSE(store_->Append({}, {Batch(3)}).ok());
  Open();  // as after a kill: what was written is in the page cache
  ASSERT_THAT(store_->HighWater(7, run_), IsOkAndHolds(3u));
  for (int i = 0; i < 3; ++i) {
    files_.CutPower();
    Open();
    EXPECT_THAT(store_->HighWater(7, run_), IsOkAndHolds(3u));
    EXPECT_THAT(All(0), SizeIs(3));
  }
}

// Whichever of its operations fails once, what Append took in the end
// survives the power; and what was refused is there once when it is sent
// again, events too.
TEST_F(RocksStoreTest, F7AnOperationThatFailsOnceCostsNothingThatWasTaken) {
  Define();
  ASSERT_THAT(store_->Flush(), IsOk());
  for (uint64_t nth = 1; nth <= 6; ++nth) {
    Open();  // begins a segment with the next Append
    EndpointBatch batch = Batch(nth);
    batch.batch.events.emplace_back().set_message("once");
    *batch.batch.events.back().mutable_time() =
        wire::ToStamp(batch.batch.ticks[0].time);
    files_.FailAt(static_cast<int>(nth), absl::UnavailableError("i/o error"));
    while (!store_->Append({}, {batch}).ok()) {
    }
    files_.FailAt(0);
    files_.CutPower();
    Open();
    EXPECT_THAT(store_->HighWater(7, run_), IsOkAndHolds(nth));
    EXPECT_THAT(All(0), SizeIs(nth));
    EXPECT_THAT(
        store_->Events(7, absl::UnixEpoch(), absl::InfiniteFuture(), 100),
        IsOkAndHolds(SizeIs(nth)));
  }
}

// One sample a minute from `begin` for `hours`; a peak in the third minute of
// every hour.
class RollupTest : public RocksStoreTest {
 protected:
  void Fill(absl::Time begin, int hours) {
    EndpointBatch item{7, {}};
    item.batch.run_id = wire::RunId{9};
    std::vector<std::pair<uint32_t, SeriesRecord>> series;
    if (sequence_ == 0) {
      wire::SeriesDefinition definition;
      definition.metric = "system.cpu.utilization";
      definition.digits = 2;
      series.push_back({7, {0, definition}});
    }
    for (int minute = 0; minute < 60 * hours; ++minute) {
      item.batch.sequence = ++sequence_;
      item.batch.ticks = {{begin + absl::Minutes(minute),
                           {{0, minute % 60 == 3 ? 0.99 : 0.25}}}};
      ASSERT_THAT(store_->Append(series, {item}), IsOk());
      series.clear();
    }
  }
  std::vector<Rollup> Ask(RollupLevel level, absl::Time from, absl::Time to) {
    auto rollups = store_->QueryRollups(7, 0, level, from, to);
    EXPECT_THAT(rollups, IsOk());
    return rollups.ok() ? *rollups : std::vector<Rollup>();
  }
  static void ExpectPeaks(const std::vector<Rollup>& rollups, int an_hour,
                          size_t count) {
    ASSERT_THAT(rollups, SizeIs(count));
    for (size_t i = 0; i < rollups.size(); ++i) {
      const bool peak = i % an_hour == 0;
      const uint32_t samples = 60 / an_hour;
      EXPECT_EQ(rollups[i].time, kDay + i * absl::Hours(1) / an_hour);
      EXPECT_EQ(rollups[i].min, 0.25);
      EXPECT_EQ(rollups[i].max, peak ? 0.99 : 0.25);
      EXPECT_EQ(rollups[i].count, samples);
      EXPECT_NEAR(rollups[i].mean, 0.25 + (peak ? 0.74 / samples : 0), 1e-4);
    }
  }

  static constexpr absl::Time kDay = absl::FromUnixSeconds(1'800'057'600);
  uint64_t sequence_ = 0;
};

TEST_F(RollupTest, PeaksStayInBothLevelsBeforeAndAfterTheyAreRolledUp) {
  Fill(kDay, 26);
  for (const absl::Time now :
       {kDay, kDay + absl::Hours(13), kDay + absl::Hours(27)}) {
    ASSERT_THAT(store_->Maintain(now), IsOk());
    ExpectPeaks(Ask(RollupLevel::kFiveMinutes, kDay, kDay + absl::Hours(26)),
                12, 26 * 12);
    ExpectPeaks(Ask(RollupLevel::kHour, kDay, kDay + absl::Hours(26)), 1, 26);
  }
  Open();
  ExpectPeaks(Ask(RollupLevel::kHour, kDay, kDay + absl::Hours(26)), 1, 26);
  // A range inside of a step gives the whole step.
  ExpectPeaks(Ask(RollupLevel::kHour, kDay + absl::Minutes(50),
                  kDay + absl::Minutes(55)),
              1, 1);
}

TEST_F(RollupTest, TheyOutliveTheSamples) {
  Fill(kDay, 12);
  ASSERT_THAT(store_->Maintain(kDay + absl::Hours(13)), IsOk());
  ASSERT_THAT(store_->Maintain(kDay + absl::Hours(80)), IsOk());
  EXPECT_THAT(store_->Query(7, 0, kDay, kDay + absl::Hours(12)),
              IsOkAndHolds(SizeIs(0)));
  ExpectPeaks(Ask(RollupLevel::kFiveMinutes, kDay, kDay + absl::Hours(80)), 12,
              12 * 12);
  ExpectPeaks(Ask(RollupLevel::kHour, kDay, kDay + absl::Hours(80)), 1, 12);
}

TEST_F(RollupTest, SamplesThatComeLateAreRolledUpAfterAll) {
  Fill(kDay + absl::Hours(6), 7);
  ASSERT_THAT(store_->Maintain(kDay + absl::Hours(19)), IsOk());
  ASSERT_THAT(Ask(RollupLevel::kHour, kDay, kDay + absl::Hours(6)), SizeIs(0));
  Fill(kDay, 6);  // a backlog
  ASSERT_THAT(store_->Flush(), IsOk());
  ExpectPeaks(Ask(RollupLevel::kHour, kDay, kDay + absl::Hours(13)), 1, 13);
  ASSERT_THAT(store_->Maintain(kDay + absl::Hours(20)), IsOk());
  ExpectPeaks(Ask(RollupLevel::kHour, kDay, kDay + absl::Hours(13)), 1, 13);
  ExpectPeaks(Ask(RollupLevel::kFiveMinutes, kDay, kDay + absl::Hours(13)), 12,
              13 * 12);
}

}  // namespace
}  // namespace forewarn::history
