#include "agent/uplink/stream_session.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_files.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::FakeFiles;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

wire::RunId RunOf(uint8_t number) {
  wire::RunId run{};
  run.fill(number);
  return run;
}

class StreamSessionTest : public ::testing::Test {
 protected:
  void Append(const std::vector<std::string>& sources) {
    wire::SeriesDictionary dictionary;
    wire::Batch batch;
    wire::Tick tick{.time = absl::FromUnixSeconds(1'800'000'000 + ++ticks_),
                    .samples = {}};
    for (const std::string& source : sources) {
      const uint32_t number =
          dictionary.Intern({.metric = "forewarn.agent.source.age",
                             .unit = "s",
                             .kind = wire::MetricKind::kGauge,
                             .digits = 0,
                             .attributes = {{"forewarn.source", source}}});
      tick.samples.push_back({number, ticks_ * 10.0 + number});
    }
    batch.ticks.push_back(tick);
    spool_.Append(batch, dictionary);
  }
  void Welcome(uint32_t credits) {
    v1::CollectorMessage message;
    message.mutable_welcome()->set_credits(credits);
    session_.Receive(message);
  }
  void Ack(uint64_t sequence, uint32_t credits = 0) {
    v1::CollectorMessage message;
    message.mutable_ack()->set_sequence(sequence);
    message.mutable_ack()->set_credits(credits);
    session_.Receive(message);
  }
  // Sequences of all that may be sent now.
  std::vector<uint64_t> Send() {
    std::vector<uint64_t> sequences;
    v1::AgentMessage message;
    while (session_.Next(message)) {
      sequences.push_back(message.batch().sequence());
    }
    return sequences;
  }

  FakeFiles files_;
  Spool spool_{files_, {.folder = "/spool"}, RunOf(1)};
  std::vector<std::pair<absl::Duration, absl::Duration>> paces_;
  StreamSession session_{
      spool_,
      {.max_series = 4,
       .max_window = 8,
       .on_pace = [this](absl::Duration tick, absl::Duration lasting) {
         paces_.emplace_back(tick, lasting);
       }}};
  int ticks_ = 0;
};

TEST_F(StreamSessionTest, SendsNothingBeforeTheWelcome) {
  Append({"a"});
  EXPECT_THAT(Send(), IsEmpty());
  Welcome(4);
  EXPECT_THAT(Send(), ElementsAre(1));
}

TEST_F(StreamSessionTest, StaysWithinItsCredits) {
  for (int i = 0; i < 5; ++i) Append({"a"});
  Welcome(2);
  EXPECT_THAT(Send(), ElementsAre(1, 2));
  Ack(1);
  EXPECT_THAT(Send(), ElementsAre(3));
  Ack(3, 1);
  EXPECT_THAT(Send(), ElementsAre(4));
}

TEST_F(StreamSessionTest, TakesOneCreditAtLeastAndItsOwnBoundAtMost) {
  for (int i = 0; i < 20; ++i) Append({"a"});
  Welcome(0);
  EXPECT_EQ(Send().size(), 1u);
  Ack(1, 1000000);
  EXPECT_EQ(Send().size(), 8u);
}

TEST_F(StreamSessionTest, AnAckFreesTheSpool) {
  Append({"a"});
  Append({"a"});
  Welcome(4);
  Send();
  EXPECT_FALSE(session_.settled());
  Ack(2);
  EXPECT_TRUE(session_.settled());
  EXPECT_FALSE(spool_.Peek(0).has_value());
}

TEST_F(StreamSessionTest, IgnoresAnAckOfNoRun) {
  Append({"a"});
  Welcome(4);
  Send();
  v1::CollectorMessage message;
  message.mutable_ack()->set_run_id("short");
  message.mutable_ack()->set_sequence(1);
  session_.Receive(message);
  EXPECT_FALSE(session_.settled());
}

TEST_F(StreamSessionTest, AFreshSessionBeginsAtTheLastAck) {
  for (int i = 0; i < 3; ++i) Append({"a"});
  Welcome(4);
  Send();
  Ack(1);
  StreamSession next(spool_, {.on_pace = {}});
  v1::CollectorMessage welcome;
  welcome.mutable_welcome()->set_credits(4);
  next.Receive(welcome);
  v1::AgentMessage message;
  ASSERT_TRUE(next.Next(message));
  EXPECT_EQ(message.batch().sequence(), 2u);
}

TEST_F(StreamSessionTest, DefinesEachSeriesOnceAStream) {
  Append({"a", "b"});
  Append({"b", "c"});
  Welcome(4);
  v1::AgentMessage message;
  ASSERT_TRUE(session_.Next(message));
  EXPECT_EQ(message.batch().definitions_size(), 2);
  ASSERT_TRUE(session_.Next(message));
  ASSERT_EQ(message.batch().definitions_size(), 1);
  EXPECT_EQ(message.batch().definitions(0).attributes(0).value(), "c");
}

TEST_F(StreamSessionTest, WhatItSendsDecodesToWhatWasMeasured) {
  Append({"a", "b"});
  Append({"c", "b"});
  Welcome(4);
  wire::BatchDecoder decoder({});
  std::vector<wire::DroppedSample> dropped;
  std::vector<std::string> seen;
  v1::AgentMessage message;
  while (session_.Next(message)) {
    wire::Batch batch;
    FOREWARN_ASSERT_OK(
        decoder.Decode(message.batch(), RunOf(1), batch, dropped));
    for (const wire::Sample& sample : batch.ticks[0].samples) {
      const wire::SeriesDefinition& series =
          decoder.definitions()[sample.series];
      seen.push_back(
          absl::StrCat(series.attributes[0].second, "=", sample.value));
    }
  }
  EXPECT_THAT(seen,
              ::testing::UnorderedElementsAre("a=10", "b=11", "c=20", "b=21"));
}

TEST_F(StreamSessionTest, WhatIsNewOvertakesABacklogAndNothingIsLost) {
  constexpr int kBacklog = 9;
  for (int i = 0; i < kBacklog; ++i) Append({"a"});
  StreamSession session(spool_,
                        {.new_run = [] { return RunOf(9); }, .backlog = 4});
  wire::BatchDecoder decoder({});
  std::vector<double> values;
  // "run/sequence" of all that may be sent now.
  const auto send = [&] {
    std::vector<std::string> sent;
    v1::AgentMessage message;
    while (session.Next(message)) {
      wire::Batch batch;
      std::vector<wire::DroppedSample> dropped;
      FOREWARN_EXPECT_OK(
          decoder.Decode(message.batch(), RunOf(1), batch, dropped));
      values.push_back(batch.ticks[0].samples[0].value);
      sent.push_back(absl::StrCat(batch.run_id[0], "/", batch.sequence));
    }
    return sent;
  };
  const auto ack = [&](uint8_t run, uint64_t sequence) {
    v1::CollectorMessage message;
    const wire::RunId id = RunOf(run);
    message.mutable_ack()->set_run_id(
        std::string(reinterpret_cast<const char*>(id.data()), id.size()));
    message.mutable_ack()->set_sequence(sequence);
    session.Receive(message);
  };
  v1::CollectorMessage welcome;
  welcome.mutable_welcome()->set_credits(8);
  session.Receive(welcome);
  EXPECT_THAT(send(), ElementsAre("1/1", "1/2"));
  Append({"a"});
  Append({"a"});
  EXPECT_THAT(send(), ElementsAre("9/1", "9/2"));
  ack(9, 2);
  EXPECT_THAT(send(), IsEmpty());
  ack(1, 2);
  EXPECT_THAT(send(), ElementsAre("1/3", "1/4"));
  Append({"a"});
  ack(1, 4);
  EXPECT_THAT(send(), ElementsAre("9/3", "1/5", "1/6"));
  ack(1, 6);
  EXPECT_THAT(send(), ElementsAre("1/7", "1/8"));
  ack(1, 8);
  EXPECT_THAT(send(), ElementsAre("1/9"));
  ack(1, 9);
  ack(9, 3);
  EXPECT_TRUE(session.settled());
  EXPECT_EQ(spool_.backlog(), 0u);
  Append({"a"});
  EXPECT_THAT(send(), ElementsAre("9/4"));
  EXPECT_THAT(values, ElementsAre(10, 20, 100, 110, 30, 40, 120, 50, 60, 70, 80,
                                  90, 130));
}

TEST_F(StreamSessionTest, AFewBatchesGoInTheirOrder) {
  for (int i = 0; i < 3; ++i) Append({"a"});
  StreamSession session(spool_,
                        {.new_run = [] { return RunOf(9); }, .backlog = 4});
  v1::CollectorMessage welcome;
  welcome.mutable_welcome()->set_credits(8);
  session.Receive(welcome);
  Append({"a"});
  v1::AgentMessage message;
  for (uint64_t sequence = 1; sequence <= 4; ++sequence) {
    ASSERT_TRUE(session.Next(message));
    EXPECT_EQ(message.batch().sequence(), sequence);
    EXPECT_TRUE(message.batch().run_id().empty());
  }
}

TEST_F(StreamSessionTest, AsksForANewStreamWhenItKnowsTooManySeries) {
  Append({"a", "b", "c"});
  Append({"d", "e"});
  Welcome(4);
  EXPECT_THAT(Send(), ElementsAre(1));
  EXPECT_TRUE(session_.exhausted());
}

TEST_F(StreamSessionTest, AStreamsFirstBatchGoesWhateverItsSize) {
  Append({"a", "b", "c", "d", "e", "f"});
  Welcome(4);
  EXPECT_THAT(Send(), ElementsAre(1));
}

TEST_F(StreamSessionTest, PassesOnTheTickOfWelcomeAndPace) {
  v1::CollectorMessage message;
  message.mutable_welcome()->mutable_tick()->set_seconds(30);
  session_.Receive(message);
  message.mutable_pace()->mutable_tick()->set_seconds(1);
  message.mutable_pace()->mutable_lasting()->set_seconds(60);
  session_.Receive(message);
  EXPECT_THAT(paces_, ElementsAre(Pair(absl::Seconds(30), absl::ZeroDuration()),
                                  Pair(absl::Seconds(1), absl::Seconds(60))));
}

TEST_F(StreamSessionTest, IgnoresAMessageOfALaterCollector) {
  session_.Receive({});
  EXPECT_FALSE(session_.welcomed());
}

TEST_F(StreamSessionTest, CountsWhatTheCollectorRejected) {
  Append({"a"});
  Welcome(1);
  Send();
  v1::CollectorMessage message;
  message.mutable_ack()->set_sequence(1);
  message.mutable_ack()->add_rejections()->set_reason("value is not finite");
  session_.Receive(message);
  EXPECT_EQ(session_.rejected_samples(), 1u);
}

TEST_F(StreamSessionTest, KnowsTheOldestUnacknowledgedBatch) {
  Append({"a"});
  Append({"a"});
  Welcome(4);
  EXPECT_FALSE(session_.first_unacked().has_value());
  Send();
  Ack(1);
  EXPECT_EQ(session_.first_unacked()->second, 2u);
}

}  // namespace
}  // namespace forewarn::agent
