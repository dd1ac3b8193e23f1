#include "agent/spool/spool.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_files.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::FakeFiles;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

wire::RunId RunOf(uint8_t number) {
  wire::RunId run{};
  run.fill(number);
  return run;
}

class SpoolTest : public ::testing::Test {
 protected:
  SpoolTest() {
    dictionary_.Intern({.metric = "system.cpu.utilization",
                        .unit = "1",
                        .kind = wire::MetricKind::kGauge,
                        .digits = 4,
                        .attributes = {}});
    Start(1);
  }

  // As at a start of the agent; whatever was in memory is gone.
  void Start(uint8_t run) {
    spool_.reset();
    spool_ = std::make_unique<Spool>(files_, options_, RunOf(run));
  }

  // `events` of text make it as large as a test needs.
  void Append(int count, size_t text = 0) {
    for (int i = 0; i < count; ++i) {
      wire::Batch batch;
      batch.ticks.push_back(
          {.time = absl::FromUnixSeconds(1'800'000'000 + ++appended_),
           .samples = {{0, appended_ * 0.25}}});
      if (text > 0) {
        std::string noise;
        for (size_t k = 0; k < text; ++k) {
          noise += static_cast<char>(' ' + random_() % 90);
        }
        batch.events.emplace_back().set_message(noise);
      }
      spool_->Append(batch, dictionary_);
    }
  }

  // "run/sequence" of all that would be sent, in order.
  std::vector<std::string> Queue() {
    std::vector<std::string> all;
    uint64_t position = 0;
    while (const auto entry = spool_->Peek(position)) {
      all.push_back(absl::StrCat(entry->whole.batch.run_id[0], "/",
                                 entry->whole.batch.sequence));
      position = entry->position + 1;
    }
    return all;
  }

  std::vector<std::string> FilesEnding(absl::string_view ending) const {
    std::vector<std::string> found;
    for (const std::string& path : files_.paths()) {
      if (absl::EndsWith(path, ending)) found.push_back(path);
    }
    return found;
  }

  FakeFiles files_;
  Spool::Options options_{.folder = "/state/spool", .limit_bytes = 1 << 20};
  wire::SeriesDictionary dictionary_;
  std::unique_ptr<Spool> spool_;
  int appended_ = 0;
  std::mt19937_64 random_{11};
};

TEST_F(SpoolTest, GivesBatchesInOrderAndFreesTheAcknowledged) {
  spool_->SetConnected(true);
  Append(4);
  EXPECT_THAT(Queue(), ElementsAre("1/1", "1/2", "1/3", "1/4"));
  spool_->AckThrough(RunOf(1), 3);
  EXPECT_THAT(Queue(), ElementsAre("1/4"));
}

TEST_F(SpoolTest, WritesNothingWhileACollectorAcknowledges) {
  spool_->SetConnected(true);
  const int before = files_.operations();
  for (int i = 1; i <= 50; ++i) {
    Append(1);
    spool_->AckThrough(RunOf(1), i);
  }
  EXPECT_EQ(files_.operations(), before);
}

TEST_F(SpoolTest, SurvivesAPowerCutWhileTheCollectorIsAway) {
  Append(3);
  files_.CutPower();
  Start(2);
  EXPECT_THAT(Queue(), ElementsAre("1/1", "1/2", "1/3"));
}

TEST_F(SpoolTest, WritesWhatWaitedWhenTheCollectorGoesAway) {
  spool_->SetConnected(true);
  Append(3);
  EXPECT_THAT(FilesEnding(".log"), IsEmpty());
  spool_->SetConnected(false);
  files_.CutPower();
  Start(2);
  EXPECT_THAT(Queue(), ElementsAre("1/1", "1/2", "1/3"));
}

TEST_F(SpoolTest, WritesToDiskWhenTheWindowGrows) {
  options_.memory_bytes = 2000;
  Start(1);
  spool_->SetConnected(true);
  Append(10, 500);
  EXPECT_THAT(FilesEnding(".log"), ::testing::Not(IsEmpty()));
  EXPECT_EQ(Queue().size(), 10u);
}

TEST_F(SpoolTest, FlushKeepsEverythingOverARestart) {
  spool_->SetConnected(true);
  Append(2);
  FOREWARN_ASSERT_OK(spool_->Flush());
  files_.CutPower();
  Start(2);
  EXPECT_THAT(Queue(), ElementsAre("1/1", "1/2"));
}

TEST_F(SpoolTest, DeliversAnEarlierRunFirst) {
  Append(2);
  Start(2);
  Append(2);
  EXPECT_THAT(Queue(), ElementsAre("1/1", "1/2", "2/1", "2/2"));
  spool_->AckThrough(RunOf(1), 2);
  EXPECT_THAT(Queue(), ElementsAre("2/1", "2/2"));
  spool_->AckThrough(RunOf(2), 2);
  EXPECT_THAT(Queue(), IsEmpty());
  EXPECT_THAT(FilesEnding(".log"), IsEmpty());
}

TEST_F(SpoolTest, AnAcknowledgementOfOneRunFreesNothingOfAnother) {
  Append(2);
  Start(2);
  Append(1);
  spool_->AckThrough(RunOf(2), 1);
  EXPECT_THAT(Queue(), ElementsAre("1/1", "1/2"));
}

TEST_F(SpoolTest, ARunThatOvertakesABacklogIsFreedBeforeIt) {
  Append(3);
  spool_->SetConnected(true);
  EXPECT_EQ(spool_->backlog(), 3u);
  const uint64_t live = spool_->BeginRun(RunOf(9));
  EXPECT_FALSE(spool_->Peek(live).has_value());
  Append(2);
  EXPECT_EQ(spool_->Peek(live)->whole.batch.run_id, RunOf(9));
  spool_->AckThrough(RunOf(9), 1);
  EXPECT_THAT(Queue(), ElementsAre("1/1", "1/2", "1/3", "9/2"));
  spool_->AckThrough(RunOf(1), 2);
  EXPECT_EQ(spool_->backlog(), 2u);
  // The collector goes away; what is left is in order and on disk.
  spool_->SetConnected(false);
  Append(1);
  Start(2);
  EXPECT_THAT(Queue(), ElementsAre("1/1", "1/2", "1/3", "9/2", "9/3"));
}

TEST_F(SpoolTest, PeekGoesOnFromAPosition) {
  Append(3);
  const auto first = spool_->Peek(0);
  ASSERT_TRUE(first.has_value());
  const auto second = spool_->Peek(first->position + 1);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->whole.batch.sequence, 2u);
}

TEST_F(SpoolTest, PositionsHoldWhileBatchesMoveToDisk) {
  spool_->SetConnected(true);
  Append(4);
  const auto second = spool_->Peek(spool_->Peek(0)->position + 1);
  spool_->SetConnected(false);
  const auto again = spool_->Peek(second->position);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->whole.batch.sequence, 2u);
}

TEST_F(SpoolTest, PositionsHoldWhenMemoryWasAcknowledgedInBetween) {
  Append(2);  // on disk, never acknowledged: another run would come first
  Start(2);
  Append(1);
  spool_->SetConnected(true);
  Append(2);                        // 2/2 and 2/3 in memory
  spool_->AckThrough(RunOf(2), 2);  // run 1 still waits
  Append(1);                        // 2/4
  spool_->SetConnected(false);
  EXPECT_THAT(Queue(), ElementsAre("1/1", "1/2", "2/3", "2/4"));
}

TEST_F(SpoolTest, DropsTheOldestAtTheLimitAndTellsIt) {
  options_.limit_bytes = 64 << 10;
  Start(1);
  Append(200, 2000);
  const Spool::Totals totals = spool_->totals();
  EXPECT_LE(totals.bytes, uint64_t{64} << 10);
  EXPECT_GT(totals.dropped_samples, 0u);

  uint64_t told = 0;
  uint64_t kept = 0;
  uint64_t position = 0;
  int64_t from = INT64_MAX;
  while (const auto entry = spool_->Peek(position)) {
    for (const v1::Gap& gap : entry->whole.batch.gaps) {
      told += gap.samples();
      EXPECT_EQ(gap.reason(), "spool full");
      from = std::min(from, gap.from().seconds());
    }
    ++kept;
    position = entry->position + 1;
  }
  EXPECT_EQ(from, 1'800'000'001);
  // Sent and told make what was produced: also the gaps of dropped batches.
  EXPECT_EQ(told, totals.dropped_samples);
  EXPECT_EQ(told + kept, 200u);
}

TEST_F(SpoolTest, DeliversWhatIsIntactOfADamagedSegmentAndSetsItAside) {
  Append(20, 100);
  const std::string segment = FilesEnding(".log").at(0);
  const uint64_t middle = files_.Read(segment, 1 << 20)->size() / 2;
  files_.Damage(segment, middle, 0x40);
  Start(2);
  EXPECT_EQ(Queue().size(), 19u);
  EXPECT_EQ(FilesEnding(".damaged").size(), 1u);
  Append(1);
  // The next batch tells the collector.
  uint64_t position = 0;
  std::string reasons;
  while (const auto entry = spool_->Peek(position)) {
    for (const v1::Gap& gap : entry->whole.batch.gaps) reasons += gap.reason();
    position = entry->position + 1;
  }
  EXPECT_THAT(reasons, HasSubstr("spool damaged"));
  // And the next start finds nothing wrong any more.
  Start(3);
  EXPECT_EQ(Queue().size(), 20u);
  EXPECT_EQ(FilesEnding(".damaged").size(), 1u);
}

TEST_F(SpoolTest, EveryPossibleDamageCostsOneBatchAtMost) {
  Append(5);
  const std::string segment = FilesEnding(".log").at(0);
  const uint64_t size = files_.Read(segment, 1 << 20)->size();
  for (uint64_t at = 0; at < size; ++at) {
    FakeFiles fresh;
    FOREWARN_ASSERT_OK(fresh.MakeFolder("/state/spool"));
    std::string bytes = *files_.Read(segment, 1 << 20);
    bytes[at] ^= 0x10;
    auto file = fresh.OpenAppend(segment);
    FOREWARN_ASSERT_OK((*file)->Append(bytes));
    Spool spool(fresh, options_, RunOf(2));
    int read = 0;
    for (uint64_t position = 0;;) {
      const auto entry = spool.Peek(position);
      if (!entry.has_value()) break;
      position = entry->position + 1;
      ++read;
    }
    EXPECT_GE(read, 4) << "byte " << at;
  }
}

TEST_F(SpoolTest, SetsAsideAFileThatIsNoSpool) {
  auto file = files_.OpenAppend("/state/spool/00000000000000aa.log");
  FOREWARN_ASSERT_OK((*file)->Append(std::string(5000, 'g')));
  Append(1);
  Start(2);
  EXPECT_EQ(FilesEnding("aa.damaged").size(), 1u);
  EXPECT_THAT(Queue(), ElementsAre("1/1"));
}

TEST_F(SpoolTest, KeepsFewDamagedFiles) {
  for (int i = 0; i < 9; ++i) {
    auto file = files_.OpenAppend(
        absl::StrCat("/state/spool/000000000000000", i, ".log"));
    FOREWARN_ASSERT_OK((*file)->Append(std::string(5000, 'g')));
  }
  Start(2);
  EXPECT_EQ(FilesEnding(".damaged").size(), 4u);
}

TEST_F(SpoolTest, CutsATornTail) {
  Append(2);
  const std::string segment = FilesEnding(".log").at(0);
  const uint64_t good = files_.Read(segment, 1 << 20)->size();
  auto file = files_.OpenAppend(segment);
  FOREWARN_ASSERT_OK((*file)->Append("half a rec"));
  Start(2);
  EXPECT_THAT(Queue(), ElementsAre("1/1", "1/2"));
  EXPECT_EQ(files_.Read(segment, 1 << 20)->size(), good);
  EXPECT_THAT(FilesEnding(".damaged"), IsEmpty());
}

TEST_F(SpoolTest, LosesNothingWhenAnyOneFileOperationFails) {
  for (int nth = 1; nth <= 30; ++nth) {
    files_.FailAt(nth);
    Append(3);
  }
  files_.FailAt(0);
  Append(1);
  const std::vector<std::string> queue = Queue();
  // Twice does no harm, missing does.
  EXPECT_EQ(std::set<std::string>(queue.begin(), queue.end()).size(), 91u);
  files_.CutPower();
  Start(2);
  const std::vector<std::string> after = Queue();
  EXPECT_EQ(std::set<std::string>(after.begin(), after.end()).size(), 91u);
}

TEST_F(SpoolTest, RecoveryNeverFailsWhicheverFileOperationFails) {
  Append(20, 100);
  const std::string segment = FilesEnding(".log").at(0);
  files_.Damage(segment, 400, 0x40);
  for (int nth = 1; nth <= 12; ++nth) {
    files_.FailAt(nth);
    Start(static_cast<uint8_t>(nth + 1));
    files_.FailAt(0);
    files_.CutPower();
  }
  Start(50);
  EXPECT_GE(Queue().size(), 19u);
}

TEST_F(SpoolTest, KeepsABoundedAmountInMemoryWhileTheDiskRefuses) {
  options_.memory_bytes = 4000;
  Start(1);
  files_.FailAlways(absl::ResourceExhaustedError("no space left on device"));
  Append(100, 1000);
  EXPECT_LE(spool_->totals().bytes, 16000u);
  EXPECT_FALSE(spool_->totals().disk.ok());
  files_.FailAt(0);
  Append(1);
  FOREWARN_EXPECT_OK(spool_->totals().disk);
  uint64_t told = 0;
  uint64_t kept = 0;
  uint64_t position = 0;
  while (const auto entry = spool_->Peek(position)) {
    for (const v1::Gap& gap : entry->whole.batch.gaps) told += gap.samples();
    ++kept;
    position = entry->position + 1;
  }
  EXPECT_EQ(told + kept, 101u);
}

TEST_F(SpoolTest, WorksInMemoryWithoutAFolder) {
  files_.FailAlways(absl::PermissionDeniedError("read-only file system"));
  Start(1);
  Append(2);
  EXPECT_THAT(Queue(), ElementsAre("1/1", "1/2"));
}

TEST_F(SpoolTest, GivesUpABatchThatNobodyTakesAndTellsIt) {
  Append(2);
  Start(2);
  spool_->Drop(RunOf(1), 2, "refused by the collector");
  EXPECT_THAT(Queue(), ElementsAre("1/1"));
  spool_->AckThrough(RunOf(1), 1);
  EXPECT_THAT(FilesEnding(".log"), IsEmpty());
  Append(1);
  const auto entry = spool_->Peek(0);
  ASSERT_TRUE(entry.has_value());
  ASSERT_EQ(entry->whole.batch.gaps.size(), 1u);
  EXPECT_EQ(entry->whole.batch.gaps[0].reason(), "refused by the collector");
}

TEST_F(SpoolTest, KeepsItsLimitOverARestart) {
  Append(100, 5000);
  options_.limit_bytes = 128 << 10;
  Start(2);
  EXPECT_LE(spool_->totals().bytes, uint64_t{128} << 10);
  EXPECT_FALSE(Queue().empty());
}

}  // namespace
}  // namespace forewarn::agent
