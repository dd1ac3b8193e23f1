#include "agent/uplink/uplink.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_certificates.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::FakeFiles;
using ::forewarn::testing::TemporaryFolder;
using ::forewarn::testing::TestCa;

// Collectors in memory: what they got, and what they do with a stream.
class FakeTransport final : public Transport {
 public:
  enum class Manner {
    kAcknowledge,
    kRefuseConnection,
    kUnauthenticated,
    kNeverWelcome,
    kWelcomeOnly,    // takes batches, acknowledges none
    kRefuseBatches,  // ends the stream at each batch
    kTakeNothing,    // a write blocks until cancelled
  };

  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, Manner> manners;
    std::vector<std::string> dialled;
    std::vector<uint64_t> batches;
    std::set<uint64_t> poison;
    std::vector<v1::Goodbye::Reason> goodbyes;
    int half_closed = 0;
    int open = 0;
    v1::Hello hello;
  };

  void Behave(const std::string& collector, Manner manner) {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->manners[collector] = manner;
  }
  // Waits until `condition` holds, half a minute at most.
  bool Await(const std::function<bool(const Shared&)>& condition) {
    std::unique_lock<std::mutex> lock(shared_->mutex);
    return shared_->changed.wait_for(lock, std::chrono::seconds(30),
                                     [&] { return condition(*shared_); });
  }
  template <typename F>
  auto Look(F look) {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    return look(*shared_);
  }

  std::unique_ptr<Stream> Open(const std::string& collector,
                               const Identity&) override {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->dialled.push_back(collector);
    ++shared_->open;
    shared_->changed.notify_all();
    return std::make_unique<FakeStream>(shared_, shared_->manners[collector]);
  }
  absl::Status Probe(const std::string&, const Identity&,
                     absl::Duration) override {
    return absl::OkStatus();
  }

 private:
  class FakeStream final : public Stream {
   public:
    FakeStream(std::shared_ptr<Shared> shared, Manner manner)
        : shared_(std::move(shared)), manner_(manner) {}
    ~FakeStream() override {
      std::lock_guard<std::mutex> lock(shared_->mutex);
      --shared_->open;
    }

    bool Write(const v1::AgentMessage& message) override {
      std::unique_lock<std::mutex> lock(shared_->mutex);
      if (ended_) return false;
      const bool taken = Take(message, lock);
      shared_->changed.notify_all();
      return taken;
    }
    bool Read(v1::CollectorMessage& message) override {
      std::unique_lock<std::mutex> lock(shared_->mutex);
      shared_->changed.wait(lock,
                            [this] { return ended_ || !answers_.empty(); });
      if (answers_.empty()) return false;
      message = answers_.front();
      answers_.pop_front();
      return true;
    }
    void HalfClose() override {
      std::lock_guard<std::mutex> lock(shared_->mutex);
      ++shared_->half_closed;
      End(absl::OkStatus());
    }
    void Cancel() override {
      std::lock_guard<std::mutex> lock(shared_->mutex);
      End(absl::CancelledError("cancelled"));
    }
    absl::Status Finish() override {
      std::lock_guard<std::mutex> lock(shared_->mutex);
      return status_;
    }

   private:
    void End(const absl::Status& status) {
      if (!ended_) status_ = status;
      ended_ = true;
      shared_->changed.notify_all();
    }
    bool Take(const v1::AgentMessage& message,
              std::unique_lock<std::mutex>& lock) {
      if (message.has_hello()) return TakeHello(message.hello());
      if (message.has_goodbye()) {
        shared_->goodbyes.push_back(message.goodbye().reason());
        return true;
      }
      if (manner_ == Manner::kTakeNothing) {
        shared_->changed.notify_all();
        shared_->changed.wait(lock, [this] { return ended_; });
        return false;
      }
      const uint64_t sequence = message.batch().sequence();
      shared_->batches.push_back(sequence);
      if (manner_ == Manner::kRefuseBatches ||
          shared_->poison.count(sequence) > 0) {
        End(absl::InvalidArgumentError("batch: makes no sense"));
        return true;
      }
      if (manner_ == Manner::kAcknowledge) {
        answers_.emplace_back().mutable_ack()->set_sequence(sequence);
      }
      return true;
    }
    bool TakeHello(const v1::Hello& hello) {
      shared_->hello = hello;
      switch (manner_) {
        case Manner::kRefuseConnection:
          End(absl::UnavailableError("connection refused"));
          return false;
        case Manner::kUnauthenticated:
          End(absl::UnauthenticatedError("certificate revoked"));
          return true;
        case Manner::kNeverWelcome:
          return true;
        default: {
          v1::Welcome& welcome = *answers_.emplace_back().mutable_welcome();
          welcome.set_credits(16);
          return true;
        }
      }
    }

    const std::shared_ptr<Shared> shared_;
    const Manner manner_;
    std::deque<v1::CollectorMessage> answers_;
    bool ended_ = false;
    absl::Status status_;
  };

  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

using Manner = FakeTransport::Manner;
using Shared = FakeTransport::Shared;

class UplinkTest : public ::testing::Test {
 protected:
  UplinkTest() {
    dictionary_.Intern({.metric = "system.uptime",
                        .unit = "s",
                        .kind = wire::MetricKind::kGauge,
                        .digits = 0,
                        .attributes = {}});
    options_.hello.set_agent_version("1.2.3");
    options_.first_wait = absl::Milliseconds(2);
    options_.longest_wait = absl::Milliseconds(10);
    options_.refused_wait = absl::Milliseconds(5);
    options_.welcome_within = absl::Seconds(20);
  }
  void Enroll(absl::Time not_after = absl::Now() + absl::Hours(1)) {
    const TestCa::Issued issued = ca_.Issue(
        "URI:forewarn://endpoint/1", absl::Now() - absl::Hours(2), not_after);
    FOREWARN_ASSERT_OK(store_.Save({.key_pem = issued.key_pem,
                                    .certificate_pem = issued.certificate_pem,
                                    .ca_pem = ca_.pem(),
                                    .endpoint_id = "1",
                                    .collectors = {"a:1", "b:1"},
                                    .urls = {},
                                    .not_before = {},
                                    .not_after = {}}));
  }
  void Append() {
    wire::Batch batch;
    batch.ticks.push_back(
        {.time = absl::FromUnixSeconds(1'800'000'000), .samples = {{0, 1}}});
    spool_.Append(batch, dictionary_);
    if (uplink_ != nullptr) uplink_->Notify();
  }
  Uplink& Start() {
    uplink_ = std::make_unique<Uplink>(base::Clock::System(), transport_,
                                       store_, spool_, options_);
    uplink_->Start();
    return *uplink_;
  }
  bool AwaitBatches(size_t count) {
    return transport_.Await(
        [&](const Shared& s) { return s.batches.size() >= count; });
  }
  bool AwaitEmptySpool() {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (spool_.Peek(0).has_value()) {
      if (absl::Now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool AwaitPhase(UplinkPhase phase) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (uplink_->state().phase != phase) {
      if (absl::Now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  const TestCa ca_;
  const TemporaryFolder folder_;
  KeyStore store_{base::Files::Posix(), folder_ / "state"};
  FakeFiles files_;
  Spool spool_{files_, {.folder = "/spool"}, wire::RunId{5}};
  wire::SeriesDictionary dictionary_;
  FakeTransport transport_;
  Uplink::Options options_;
  std::unique_ptr<Uplink> uplink_;
};

TEST_F(UplinkTest, DeliversWhatTheSpoolHoldsAndWhatComesLater) {
  Enroll();
  Append();
  Append();
  Start();
  ASSERT_TRUE(AwaitBatches(2));
  Append();
  ASSERT_TRUE(AwaitBatches(3));
  EXPECT_TRUE(AwaitEmptySpool());
  EXPECT_TRUE(AwaitPhase(UplinkPhase::kConnected));
  EXPECT_EQ(uplink_->state().collector, "a:1");
  EXPECT_GT(uplink_->state().last_ack, absl::Now() - absl::Minutes(1));
}

TEST_F(UplinkTest, SaysHelloWithItsRun) {
  Enroll();
  Start();
  ASSERT_TRUE(AwaitPhase(UplinkPhase::kConnected));
  const v1::Hello hello =
      transport_.Look([](const Shared& s) { return s.hello; });
  EXPECT_EQ(hello.protocol(), 1u);
  EXPECT_EQ(hello.agent_version(), "1.2.3");
  EXPECT_EQ(hello.run_id().size(), 16u);
  EXPECT_GT(hello.clock().seconds(), 1'700'000'000);
}

TEST_F(UplinkTest, GoesDownTheListUntilOneAnswers) {
  Enroll();
  transport_.Behave("a:1", Manner::kRefuseConnection);
  Append();
  Start();
  ASSERT_TRUE(AwaitBatches(1));
  EXPECT_EQ(transport_.Look([](const Shared& s) { return s.dialled; }),
            (std::vector<std::string>{"a:1", "b:1"}));
}

TEST_F(UplinkTest, UsesTheConfiguredListWhereThereIsOne) {
  Enroll();
  options_.collectors = {"own:7"};
  Start();
  ASSERT_TRUE(AwaitPhase(UplinkPhase::kConnected));
  EXPECT_EQ(uplink_->state().collector, "own:7");
}

TEST_F(UplinkTest, SendsAgainWhatWasNotAcknowledged) {
  Enroll();
  transport_.Behave("a:1", Manner::kWelcomeOnly);
  Append();
  Append();
  Start();
  ASSERT_TRUE(AwaitBatches(2));
  uplink_->Reconnect();
  ASSERT_TRUE(AwaitBatches(4));
  EXPECT_EQ(transport_.Look([](const Shared& s) { return s.batches; }),
            (std::vector<uint64_t>{1, 2, 1, 2}));
}

TEST_F(UplinkTest, KeepsTryingAfterARefusalAndAsksForRenewal) {
  Enroll();
  std::atomic<int> refused = 0;
  options_.on_refused = [&] { ++refused; };
  transport_.Behave("a:1", Manner::kUnauthenticated);
  transport_.Behave("b:1", Manner::kUnauthenticated);
  Append();
  Start();
  ASSERT_TRUE(
      transport_.Await([](const Shared& s) { return s.dialled.size() >= 4; }));
  EXPECT_EQ(refused, 1);
  EXPECT_THAT(uplink_->state().last_error,
              ::testing::HasSubstr("certificate revoked"));
  transport_.Behave("a:1", Manner::kAcknowledge);
  EXPECT_TRUE(AwaitBatches(1));
}

TEST_F(UplinkTest, AsksForRenewalInsteadOfDiallingWithAnExpiredCertificate) {
  Enroll(absl::Now() - absl::Hours(1));
  std::atomic<int> refused = 0;
  options_.on_refused = [&] { ++refused; };
  options_.refused_wait = absl::Minutes(5);
  Start();
  ASSERT_TRUE(AwaitPhase(UplinkPhase::kWaiting));
  EXPECT_EQ(refused, 1);
  EXPECT_TRUE(
      transport_.Look([](const Shared& s) { return s.dialled.empty(); }));
  Enroll();
  uplink_->TryNow();
  EXPECT_TRUE(AwaitPhase(UplinkPhase::kConnected));
}

TEST_F(UplinkTest, WaitsForAnEnrolment) {
  Start();
  ASSERT_TRUE(AwaitPhase(UplinkPhase::kNotEnrolled));
  Enroll();
  uplink_->TryNow();
  EXPECT_TRUE(AwaitPhase(UplinkPhase::kConnected));
}

TEST_F(UplinkTest, GivesUpOnACollectorThatNeverWelcomes) {
  Enroll();
  options_.welcome_within = absl::Milliseconds(5);
  transport_.Behave("a:1", Manner::kNeverWelcome);
  Append();
  Start();
  EXPECT_TRUE(AwaitBatches(1));
  EXPECT_EQ(uplink_->state().collector, "b:1");
}

TEST_F(UplinkTest, GivesUpABatchThatEndsStreamAfterStreamAndSendsTheRest) {
  Enroll();
  transport_.Look([](Shared& s) { return s.poison.insert(2); });
  for (int i = 0; i < 4; ++i) Append();
  Start();
  ASSERT_TRUE(AwaitEmptySpool());
  const std::vector<uint64_t> batches =
      transport_.Look([](const Shared& s) { return s.batches; });
  EXPECT_EQ(std::count(batches.begin(), batches.end(), 3), 1);
  EXPECT_EQ(std::count(batches.begin(), batches.end(), 4), 1);
  EXPECT_LE(std::count(batches.begin(), batches.end(), 2), 4);
  EXPECT_EQ(spool_.totals().dropped_samples, 1u);
}

TEST_F(UplinkTest, SaysGoodbyeWithItsReasonAndHalfCloses) {
  Enroll();
  Start();
  ASSERT_TRUE(AwaitPhase(UplinkPhase::kConnected));
  Append();
  uplink_->Stop(v1::Goodbye::REASON_SHUTDOWN, absl::Seconds(30));
  EXPECT_EQ(transport_.Look([](const Shared& s) { return s.goodbyes; }),
            std::vector<v1::Goodbye::Reason>{v1::Goodbye::REASON_SHUTDOWN});
  EXPECT_EQ(transport_.Look([](const Shared& s) { return s.half_closed; }), 1);
  // What waited went out before.
  EXPECT_EQ(transport_.Look([](const Shared& s) { return s.batches; }),
            std::vector<uint64_t>{1});
  EXPECT_EQ(uplink_->state().phase, UplinkPhase::kStopped);
}

TEST_F(UplinkTest, StopsAlsoWhileAWriteBlocks) {
  Enroll();
  transport_.Behave("a:1", Manner::kTakeNothing);
  Append();
  Start();
  ASSERT_TRUE(AwaitPhase(UplinkPhase::kConnected));
  uplink_->Stop(v1::Goodbye::REASON_STOP, absl::Milliseconds(20));
  EXPECT_EQ(uplink_->state().phase, UplinkPhase::kStopped);
  EXPECT_TRUE(spool_.Peek(0).has_value());
}

TEST_F(UplinkTest, SaysGoodbyeBeforeSleepAndComesBackAfterIt) {
  Enroll();
  Start();
  ASSERT_TRUE(AwaitPhase(UplinkPhase::kConnected));
  uplink_->Suspend(absl::Seconds(30));
  EXPECT_EQ(transport_.Look([](const Shared& s) { return s.goodbyes; }),
            std::vector<v1::Goodbye::Reason>{v1::Goodbye::REASON_SUSPEND});
  EXPECT_EQ(uplink_->state().phase, UplinkPhase::kSuspended);
  Append();
  EXPECT_EQ(transport_.Look([](const Shared& s) { return s.batches.size(); }),
            0u);
  uplink_->Resume();
  EXPECT_TRUE(AwaitBatches(1));
}

TEST_F(UplinkTest, StopsWhileItWaits) {
  Enroll();
  options_.collectors = {"a:1"};
  options_.first_wait = absl::Hours(1);
  options_.longest_wait = absl::Hours(1);
  transport_.Behave("a:1", Manner::kRefuseConnection);
  Start();
  ASSERT_TRUE(AwaitPhase(UplinkPhase::kWaiting));
  uplink_->Stop(v1::Goodbye::REASON_STOP, absl::Seconds(30));
  EXPECT_EQ(uplink_->state().phase, UplinkPhase::kStopped);
}

TEST_F(UplinkTest, SpoolsToDiskOnceTheCollectorIsGone) {
  Enroll();
  options_.collectors = {"a:1"};
  Start();
  ASSERT_TRUE(AwaitPhase(UplinkPhase::kConnected));
  transport_.Behave("a:1", Manner::kRefuseConnection);
  uplink_->Reconnect();
  ASSERT_TRUE(AwaitPhase(UplinkPhase::kWaiting));
  Append();
  EXPECT_FALSE(files_.paths().empty());
}

}  // namespace
}  // namespace forewarn::agent
