#include "collector/history/chunk_codec.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::history {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;

constexpr absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

std::vector<Sample> MakeSamples(int count) {
  std::mt19937 random(1);
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i) {
    samples.push_back({kStart + absl::Seconds(10 * i) +
                           absl::Milliseconds(random() % 5),
                       static_cast<double>(random() % 1000) / 100});
  }
  return samples;
}

TEST(ChunkCodecTest, SamplesComeBack) {
  const std::vector<Sample> samples = MakeSamples(500);
  std::vector<Sample> back;
  ASSERT_THAT(DecodeChunk(EncodeChunk(samples, 2), 2, back), IsOk());
  ASSERT_EQ(back.size(), samples.size());
  for (size_t i = 0; i < back.size(); ++i) {
    EXPECT_EQ(back[i].time, samples[i].time);
    EXPECT_EQ(back[i].value, samples[i].value);
  }
}

TEST(ChunkCodecTest, TicksComeBack) {
  std::vector<wire::Tick> ticks = {
      {kStart, {{0, 1.5}, {3, 2.25}, {4, -7}}},
      {kStart + absl::Seconds(10), {}},
      {kStart + absl::Seconds(20), {{4, -7}}}};
  const std::vector<uint8_t> digits = {2, 0, 0, 2, 0};
  std::vector<wire::Tick> back;
  ASSERT_THAT(DecodeTicks(EncodeTicks(ticks, digits), digits, back), IsOk());
  ASSERT_EQ(back.size(), 3u);
  EXPECT_EQ(back[0].samples[1].series, 3u);
  EXPECT_EQ(back[0].samples[1].value, 2.25);
  EXPECT_EQ(back[2].time, ticks[2].time);
  EXPECT_EQ(back[2].samples[0].value, -7);
}

TEST(ChunkCodecTest, DamageIsAnErrorAndNeverACrash) {
  const std::string good = EncodeChunk(MakeSamples(100), 2);
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    std::string bad = good;
    bad[random() % bad.size()] ^= static_cast<char>(1 << random() % 8);
    bad.resize(random() % (bad.size() + 1));
    std::vector<Sample> back;
    if (bad.size() < good.size()) {
      EXPECT_FALSE(DecodeChunk(bad, 2, back).ok());
    }
    std::vector<wire::Tick> ticks;
    DecodeTicks(bad, {2, 2, 2}, ticks).IgnoreError();
  }
  std::vector<Sample> back;
  EXPECT_THAT(DecodeChunk("\x7f", 2, back),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace forewarn::history
