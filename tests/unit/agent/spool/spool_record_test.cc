#include "agent/spool/spool_record.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;

class SpoolRecordTest : public ::testing::Test {
 protected:
  SpoolRecordTest() {
    for (int i = 0; i < 250; ++i) {
      dictionary_.Intern({.metric = "system.filesystem.utilization",
                          .unit = "1",
                          .kind = wire::MetricKind::kGauge,
                          .digits = 4,
                          .attributes = {{"system.filesystem.mountpoint",
                                          "/mnt/" + std::to_string(i)}}});
    }
    batch_.run_id.fill(7);
    batch_.sequence = 42;
    for (int t = 0; t < 2; ++t) {
      wire::Tick tick{.time = absl::FromUnixSeconds(1'800'000'000 + 10 * t),
                      .samples = {}};
      for (uint32_t i = 0; i < 250; ++i) tick.samples.push_back({i, i * 0.001});
      batch_.ticks.push_back(tick);
    }
    batch_.events.emplace_back().set_name("forewarn.event.oom_kill");
    batch_.gaps.emplace_back().set_samples(9);
  }

  wire::SeriesDictionary dictionary_;
  wire::Batch batch_;
};

TEST_F(SpoolRecordTest, CanBeDecodedAlone) {
  const auto whole = DecodeRecord(EncodeRecord(batch_, dictionary_));
  FOREWARN_ASSERT_OK(whole);
  EXPECT_EQ(whole->batch.run_id, batch_.run_id);
  EXPECT_EQ(whole->batch.sequence, 42u);
  ASSERT_EQ(whole->batch.ticks.size(), 2u);
  EXPECT_EQ(whole->batch.ticks[1].time, batch_.ticks[1].time);
  ASSERT_EQ(whole->definitions.size(), 250u);
  for (const wire::Sample& sample : whole->batch.ticks[1].samples) {
    EXPECT_EQ(whole->definitions[sample.series],
              dictionary_.definition(
                  static_cast<uint32_t>(sample.value * 1000 + 0.5)));
  }
  EXPECT_EQ(whole->batch.events[0].name(), "forewarn.event.oom_kill");
  EXPECT_EQ(whole->batch.gaps[0].samples(), 9u);
}

TEST_F(SpoolRecordTest, SaysWhatIsInItWithoutUnpacking) {
  const auto summary = ReadSummary(EncodeRecord(batch_, dictionary_));
  FOREWARN_ASSERT_OK(summary);
  EXPECT_EQ(summary->run, batch_.run_id);
  EXPECT_EQ(summary->sequence, 42u);
  EXPECT_EQ(summary->samples, 500u);
  EXPECT_EQ(summary->from, batch_.ticks[0].time);
  EXPECT_EQ(summary->to, batch_.ticks[1].time);
}

TEST_F(SpoolRecordTest, IsSmallThoughItDefinesEverySeries) {
  // 250 definitions alone are some 15 KB.
  EXPECT_LT(EncodeRecord(batch_, dictionary_).size(), 6000u);
}

TEST_F(SpoolRecordTest, RefusesEveryShorterRecord) {
  const std::string record = EncodeRecord(batch_, dictionary_);
  // The last bytes are a checksum of what is there already.
  for (size_t size = 0; size + 16 < record.size(); size += 7) {
    EXPECT_THAT(DecodeRecord(absl::string_view(record).substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
}

TEST_F(SpoolRecordTest, SurvivesRandomBytes) {
  std::mt19937_64 random(3);
  const std::string record = EncodeRecord(batch_, dictionary_);
  for (int round = 0; round < 300; ++round) {
    std::string bytes = record;
    for (int i = 0; i < 4; ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto whole = DecodeRecord(bytes);
    if (!whole.ok()) continue;
    for (const wire::Tick& tick : whole->batch.ticks) {
      for (const wire::Sample& sample : tick.samples) {
        ASSERT_LT(sample.series, whole->definitions.size());
      }
    }
  }
}

}  // namespace
}  // namespace forewarn::agent
