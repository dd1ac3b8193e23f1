#include "protos/wire/batch_codec.h"

#include <cmath>
#include <limits>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::wire {
namespace {

using ::forewarn::testing::IsOk;
using ::forewarn::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class BatchCodecTest : public ::testing::Test {
 protected:
  BatchCodecTest() {
    for (int i = 0; i < 40; ++i) {
      dictionary_.Intern({.metric = "system.cpu.utilization",
                          .unit = "1",
                          .kind = MetricKind::kGauge,
                          .digits = 4,
                          .attributes = {{"cpu.mode", std::to_string(i)}}});
    }
  }

  Batch MakeBatch(uint64_t sequence, int ticks, int series) {
    Batch batch;
    batch.run_id = run_;
    batch.sequence = sequence;
    for (int t = 0; t < ticks; ++t) {
      Tick tick{.time = kStart + absl::Seconds(10 * (sequence * 100 + t)),
                .samples = {}};
      for (int s = 0; s < series; ++s) {
        tick.samples.push_back({uint32_t(s), (s * 17 + t) % 101 / 100.0});
      }
      batch.ticks.push_back(tick);
    }
    return batch;
  }

  SeriesDictionary dictionary_;
  RunId run_{1, 2, 3};
  BatchEncoder encoder_{&dictionary_};
  BatchDecoder decoder_{DecodeLimits{}};
  v1::Batch coded_;
  Batch back_;
  std::vector<DroppedSample> dropped_;
};

TEST_F(BatchCodecTest, WhatGoesInComesOut) {
  std::mt19937 random(3);
  for (uint64_t sequence = 1; sequence < 50; ++sequence) {
    Batch batch = MakeBatch(sequence, 1 + random() % 5, 1 + random() % 40);
    v1::Event event;
    event.set_name("forewarn.event.oom_kill");
    batch.events.push_back(event);
    encoder_.Encode(batch, run_, coded_);
    ASSERT_THAT(decoder_.Decode(coded_, run_, back_, dropped_), IsOk());
    EXPECT_THAT(dropped_, IsEmpty());
    EXPECT_EQ(back_.sequence, sequence);
    EXPECT_EQ(back_.run_id, run_);
    ASSERT_EQ(back_.ticks.size(), batch.ticks.size());
    for (size_t t = 0; t < batch.ticks.size(); ++t) {
      EXPECT_EQ(back_.ticks[t].time, batch.ticks[t].time);
      ASSERT_EQ(back_.ticks[t].samples.size(), batch.ticks[t].samples.size());
      for (size_t s = 0; s < batch.ticks[t].samples.size(); ++s) {
        const Sample& sample = back_.ticks[t].samples[s];
        EXPECT_EQ(decoder_.definitions()[sample.series],
                  dictionary_.definition(batch.ticks[t].samples[s].series));
        EXPECT_EQ(sample.value, batch.ticks[t].samples[s].value);
      }
    }
    EXPECT_THAT(back_.events, SizeIs(1));
  }
}

TEST_F(BatchCodecTest, ASteadyTickCostsAboutAByteASample) {
  encoder_.Encode(MakeBatch(1, 1, 40), run_, coded_);
  encoder_.Encode(MakeBatch(2, 1, 40), run_, coded_);
  EXPECT_LE(coded_.ByteSizeLong(), 40u + 16u);
}

TEST_F(BatchCodecTest, AnEarlierRunsBatchCarriesItsRun) {
  Batch batch = MakeBatch(1, 1, 3);
  batch.run_id = RunId{9};
  encoder_.Encode(batch, run_, coded_);
  ASSERT_THAT(decoder_.Decode(coded_, run_, back_, dropped_), IsOk());
  EXPECT_EQ(back_.run_id, RunId{9});
}

TEST_F(BatchCodecTest, SamplesThatAreNotFiniteAreLeftOutAndListed) {
  Batch batch = MakeBatch(1, 1, 3);
  batch.ticks[0].samples[1].value = std::numeric_limits<double>::quiet_NaN();
  encoder_.Encode(batch, run_, coded_);
  ASSERT_THAT(decoder_.Decode(coded_, run_, back_, dropped_), IsOk());
  EXPECT_THAT(back_.ticks[0].samples, SizeIs(2));
  ASSERT_THAT(dropped_, SizeIs(1));
  EXPECT_EQ(dropped_[0].series, 1u);
}

TEST_F(BatchCodecTest, AbsurdTimesDropTheirSamplesOnly) {
  Batch batch = MakeBatch(1, 2, 3);
  batch.ticks[0].time = absl::FromUnixSeconds(-5);
  encoder_.Encode(batch, run_, coded_);
  ASSERT_THAT(decoder_.Decode(coded_, run_, back_, dropped_), IsOk());
  EXPECT_THAT(back_.ticks, SizeIs(1));
  EXPECT_THAT(dropped_, SizeIs(3));
}

TEST_F(BatchCodecTest, ASeriesThatWasNeverDefinedIsDataLoss) {
  encoder_.Encode(MakeBatch(1, 1, 3), run_, coded_);
  coded_.clear_definitions();
  EXPECT_THAT(decoder_.Decode(coded_, run_, back_, dropped_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("never")));
}

TEST_F(BatchCodecTest, BadDefinitionsAreRefused) {
  encoder_.Encode(MakeBatch(1, 1, 3), run_, coded_);
  coded_.mutable_definitions(1)->set_metric("rm -rf /");
  EXPECT_THAT(decoder_.Decode(coded_, run_, back_, dropped_),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(BatchCodecTest, SequenceZeroAndShortRunIdsAreRefused) {
  encoder_.Encode(MakeBatch(1, 1, 3), run_, coded_);
  v1::Batch bad = coded_;
  bad.set_sequence(0);
  EXPECT_THAT(decoder_.Decode(bad, run_, back_, dropped_),
              StatusIs(absl::StatusCode::kInvalidArgument));
  bad = coded_;
  bad.set_run_id("short");
  EXPECT_THAT(decoder_.Decode(bad, run_, back_, dropped_),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(BatchCodecTest, LimitsAreRefusedByName) {
  BatchDecoder few_series(DecodeLimits{.series = 2});
  encoder_.Encode(MakeBatch(1, 1, 3), run_, coded_);
  EXPECT_THAT(few_series.Decode(coded_, run_, back_, dropped_),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("2 series")));
  BatchDecoder few_samples(DecodeLimits{.samples = 2});
  EXPECT_THAT(few_samples.Decode(coded_, run_, back_, dropped_),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("samples")));
}

TEST_F(BatchCodecTest, MutatedBytesNeverCrash) {
  encoder_.Encode(MakeBatch(1, 4, 40), run_, coded_);
  const std::string good = coded_.SerializeAsString();
  std::mt19937 random(5);
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (int flips = 1 + random() % 4; flips > 0; --flips) {
      bad[random() % bad.size()] ^= char(1 << random() % 8);
    }
    v1::Batch message;
    if (!message.ParseFromString(bad)) continue;
    BatchDecoder decoder{DecodeLimits{}};
    if (decoder.Decode(message, run_, back_, dropped_).ok()) {
      for (const Tick& tick : back_.ticks) {
        for (const Sample& sample : tick.samples) {
          ASSERT_LT(sample.series, decoder.definitions().size());
          ASSERT_TRUE(std::isfinite(sample.value));
        }
      }
    }
  }
}

}  // namespace
}  // namespace forewarn::wire
