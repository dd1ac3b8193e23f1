// Open and sealed blocks: the same ticks in their two forms.

#include <random>

#include "collector/history/open_block.h"
#include "collector/history/sealed_block.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::history {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;
using ::testing::SizeIs;

constexpr absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);
const std::vector<uint8_t> kDigits = {0, 2, 255, 1, 0};

// Series 3 is there in every third tick only, series 4 never.
std::vector<wire::Tick> MakeTicks(int count) {
  std::mt19937 random(7);
  std::vector<wire::Tick> ticks;
  for (int i = 0; i < count; ++i) {
    wire::Tick& tick = ticks.emplace_back();
    tick.time = kStart + absl::Seconds(10 * i) + absl::Milliseconds(i % 3);
    tick.samples = {{0, 1e6 + 7.0 * i},
                    {1, (random() % 10000) / 100.0},
                    {2, random() / 3.0}};
    if (i % 3 == 0) tick.samples.push_back({3, i / 10.0});
  }
  return ticks;
}

void ExpectSame(const std::vector<wire::Tick>& a,
                const std::vector<wire::Tick>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].time, b[i].time);
    ASSERT_EQ(a[i].samples.size(), b[i].samples.size()) << i;
    for (size_t k = 0; k < a[i].samples.size(); ++k) {
      EXPECT_EQ(a[i].samples[k].series, b[i].samples[k].series);
      EXPECT_EQ(a[i].samples[k].value, b[i].samples[k].value);
    }
  }
}

TEST(OpenBlockTest, TicksComeBack) {
  const std::vector<wire::Tick> ticks = MakeTicks(50);
  OpenBlock block;
  for (size_t i = 0; i < ticks.size(); ++i) {
    block.Append({&ticks[i], 1}, kDigits, i % 20 == 0);
  }
  std::vector<wire::Tick> back;
  ASSERT_THAT(block.Read(kDigits, back), IsOk());
  ExpectSame(back, ticks);
}

TEST(OpenBlockTest, RowsAppendedElsewhereAreTheSameBlock) {
  const std::vector<wire::Tick> ticks = MakeTicks(10);
  OpenBlock block;
  OpenBlock copy;
  for (const wire::Tick& tick : ticks) {
    copy.AppendRows(block.Append({&tick, 1}, kDigits, false), 1);
  }
  std::vector<wire::Tick> back;
  ASSERT_THAT(copy.Read(kDigits, back), IsOk());
  ExpectSame(back, ticks);
}

TEST(OpenBlockTest, AfterARollbackNothingRefersToWhatIsGone) {
  const std::vector<wire::Tick> ticks = MakeTicks(6);
  OpenBlock block;
  block.Append(absl::MakeSpan(ticks).subspan(0, 2), kDigits, false);
  const OpenBlock::Mark mark = block.mark();
  block.Append(absl::MakeSpan(ticks).subspan(2, 2), kDigits, false);
  block.Rollback(mark);
  EXPECT_TRUE(OpenBlock::IsReset(
      block.Append(absl::MakeSpan(ticks).subspan(4, 2), kDigits, false)));
  std::vector<wire::Tick> back;
  ASSERT_THAT(block.Read(kDigits, back), IsOk());
  ExpectSame(back, {ticks[0], ticks[1], ticks[4], ticks[5]});
}

TEST(OpenBlockTest, ASeriesThatComesLaterIsTaken) {
  OpenBlock block;
  const wire::Tick one{kStart, {{0, 1}}};
  const wire::Tick two{kStart + absl::Seconds(1), {{0, 2}, {4, 9}}};
  block.Append({&one, 1}, absl::MakeSpan(kDigits).subspan(0, 1), false);
  block.Append({&two, 1}, kDigits, false);
  std::vector<wire::Tick> back;
  ASSERT_THAT(block.Read(kDigits, back), IsOk());
  ExpectSame(back, {one, two});
}

TEST(SealedBlockTest, TicksComeBack) {
  const std::vector<wire::Tick> ticks = MakeTicks(120);
  const std::string bytes = SealBlock(ticks, kDigits);
  const auto block = SealedBlock::Open(bytes);
  ASSERT_THAT(block, IsOk());
  EXPECT_EQ(block->first(), ticks.front().time);
  EXPECT_EQ(block->last(), ticks.back().time);
  std::vector<wire::Tick> back;
  ASSERT_THAT(block->ReadAll(kDigits, back), IsOk());
  ExpectSame(back, ticks);
}

TEST(SealedBlockTest, OneSeriesIsReadAlone) {
  const std::vector<wire::Tick> ticks = MakeTicks(30);
  const std::string bytes = SealBlock(ticks, kDigits);
  const auto block = SealedBlock::Open(bytes);
  ASSERT_THAT(block, IsOk());
  std::vector<Sample> samples;
  ASSERT_THAT(block->Read(3, 1, samples), IsOk());
  ASSERT_THAT(samples, SizeIs(10));
  EXPECT_EQ(samples[1].time, ticks[3].time);
  EXPECT_EQ(samples[1].value, 0.3);
  ASSERT_THAT(block->Read(4, 0, samples), IsOk());
  EXPECT_THAT(samples, SizeIs(10));
}

TEST(SealedBlockTest, DamageIsAnErrorOrOtherNumbersAndNeverACrash) {
  std::mt19937 random(8);
  const std::string good = SealBlock(MakeTicks(40), kDigits);
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    bad[random() % bad.size()] = static_cast<char>(random());
    if (i % 3 == 0) bad.resize(random() % bad.size());
    const auto block = SealedBlock::Open(bad);
    if (!block.ok()) {
      EXPECT_THAT(block, StatusIs(absl::StatusCode::kDataLoss));
      continue;
    }
    std::vector<wire::Tick> ticks;
    std::vector<Sample> samples;
    block->ReadAll(kDigits, ticks).IgnoreError();
    block->Read(2, 255, samples).IgnoreError();
  }
}

}  // namespace
}  // namespace forewarn::history
