#include "collector/notify/dispatcher.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collector/notify/webhook_channel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_http_server.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/collector/notify/curl_environment.h"
#include "tests/unit/collector/notify/example_ticket.h"
#include "tests/unit/collector/notify/fake_outbox.h"

namespace forewarn::notify {
namespace {

using ::forewarn::testing::FakeClock;
using ::forewarn::testing::FakeHttpServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A box one can read. Answers as told; may hold a Send until Cancel.
class FakeChannel final : public Channel {
 public:
  using Answer = std::function<absl::Status(const Message&)>;

  explicit FakeChannel(std::string name, Answer answer = nullptr)
      : name_(std::move(name)), answer_(std::move(answer)) {}

  const std::string& name() const override { return name_; }
  absl::Status Send(const Message& message) override {
    {
      base::MutexLock lock(&mutex_);
      keys_.push_back(message.notification.idempotency_key());
      changed_.NotifyAll();
      while (hold_ && !cancelled_) changed_.Wait(&mutex_);
      if (cancelled_) return absl::CancelledError("cancelled");
    }
    return answer_ ? answer_(message) : absl::OkStatus();
  }
  void Cancel() override {
    base::MutexLock lock(&mutex_);
    cancelled_ = true;
    changed_.NotifyAll();
  }

  void Hold(bool hold) {
    base::MutexLock lock(&mutex_);
    hold_ = hold;
    changed_.NotifyAll();
  }
  std::vector<std::string> keys() {
    base::MutexLock lock(&mutex_);
    return keys_;
  }
  bool WaitForSends(size_t count) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::seconds(10);
    base::MutexLock lock(&mutex_);
    while (keys_.size() < count) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) return false;
      changed_.WaitFor(&mutex_, left);
    }
    return true;
  }

 private:
  const std::string name_;
  const Answer answer_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<std::string> keys_ ABSL_GUARDED_BY(mutex_);
  bool hold_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

class DispatcherTest : public ::testing::Test {
 protected:
  FakeChannel* AddChannel(const std::string& name,
                          FakeChannel::Answer answer = nullptr) {
    auto channel = std::make_unique<FakeChannel>(name, std::move(answer));
    FakeChannel* borrowed = channel.get();
    channels_.push_back(std::move(channel));
    return borrowed;
  }
  void Start() {
    options_.seed = 1;
    dispatcher_ =
        std::make_unique<Dispatcher>(options_, std::move(channels_), outbox_,
                                     find_, words_, metrics_, clock_);
    dispatcher_->Start();
  }
  v1::Notification Row(uint32_t id, uint32_t ticket,
                       const std::string& channel) {
    v1::Notification row = ExampleNotification(id, ticket, "opened", channel);
    const int64_t now = absl::ToUnixSeconds(clock_.Now());
    row.mutable_created_at()->set_seconds(now);
    row.mutable_next_attempt_at()->set_seconds(now);
    return row;
  }
  void Advance(absl::Duration by) {
    clock_.Advance(by);
    outbox_.Wake();
  }
  absl::Duration WaitOf(uint32_t id) {
    return wire::ToTime(outbox_.row(id).next_attempt_at()) - clock_.Now();
  }

  FakeClock clock_;
  FakeOutbox outbox_;
  words::Words words_ = ExampleWords();
  metrics::SelfMetrics metrics_{"test"};
  DispatcherOptions options_;
  TicketFinder find_ = [](uint32_t id) -> absl::StatusOr<v1::TicketDetail> {
    return ExampleTicket(id);
  };
  std::vector<std::unique_ptr<Channel>> channels_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, DeliversWhatIsDueOnce) {
  FakeChannel* mail = AddChannel("mail");
  outbox_.Add(Row(1, 1, "mail"));
  Start();
  outbox_.Add(Row(2, 2, "mail"));
  EXPECT_TRUE(outbox_.WaitUntilDelivered(1));
  EXPECT_TRUE(outbox_.WaitUntilDelivered(2));
  dispatcher_->Stop();
  EXPECT_THAT(mail->keys(), ElementsAre("key-1", "key-2"));
  EXPECT_EQ(metrics_.Notifications("mail", "delivered").Value(), 2);
}

TEST_F(DispatcherTest, DoesNotSendAheadOfTime) {
  FakeChannel* mail = AddChannel("mail");
  v1::Notification later = Row(1, 1, "mail");
  later.mutable_next_attempt_at()->set_seconds(
      absl::ToUnixSeconds(clock_.Now()) + 60);
  outbox_.Add(later);
  Start();
  outbox_.Add(Row(2, 2, "mail"));
  ASSERT_TRUE(outbox_.WaitUntilDelivered(2));
  EXPECT_THAT(mail->keys(), ElementsAre("key-2"));
  Advance(absl::Seconds(60));
  EXPECT_TRUE(outbox_.WaitUntilDelivered(1));
}

TEST_F(DispatcherTest, KeepsTheOrderOfATicket) {
  FakeChannel* mail = AddChannel("mail");
  for (uint32_t id = 1; id <= 5; ++id) outbox_.Add(Row(id, 41, "mail"));
  Start();
  ASSERT_TRUE(outbox_.WaitUntilDelivered(5));
  EXPECT_THAT(mail->keys(),
              ElementsAre("key-1", "key-2", "key-3", "key-4", "key-5"));
}

TEST_F(DispatcherTest, RetriesWithGrowingWaitsAndTheSameKey) {
  int answers = 0;
  FakeChannel* mail = AddChannel("mail", [&answers](const Message&) {
    return ++answers <= 8 ? absl::UnavailableError("down") : absl::OkStatus();
  });
  outbox_.Add(Row(1, 1, "mail"));
  Start();
  absl::Duration most = absl::Seconds(5);
  for (uint32_t attempt = 1; attempt <= 8; ++attempt) {
    ASSERT_TRUE(outbox_.WaitUntilTried(1, attempt));
    EXPECT_GE(WaitOf(1), absl::ZeroDuration());
    EXPECT_LE(WaitOf(1), most);
    EXPECT_THAT(outbox_.row(1).last_error(), HasSubstr("down"));
    // Past the row's own wait and the channel's rest.
    Advance(most);
    most = 2 * most;
  }
  ASSERT_TRUE(outbox_.WaitUntilDelivered(1));
  EXPECT_THAT(mail->keys(), ::testing::Each("key-1"));
  EXPECT_EQ(mail->keys().size(), 9u);
}

TEST_F(DispatcherTest, WaitsAsLongAsTheReceiverAsksWithinReason) {
  absl::Duration asked = absl::Seconds(120);
  AddChannel("a", [&](const Message&) {
    return WithRetryAfter(absl::UnavailableError("busy"), asked);
  });
  outbox_.Add(Row(1, 1, "a"));
  Start();
  ASSERT_TRUE(outbox_.WaitUntilTried(1, 1));
  EXPECT_EQ(WaitOf(1), absl::Seconds(120));
  asked = absl::Seconds(1'000'000'000);
  Advance(absl::Seconds(120));
  ASSERT_TRUE(outbox_.WaitUntilTried(1, 2));
  EXPECT_EQ(WaitOf(1), absl::Hours(1));
}

TEST_F(DispatcherTest, GivesUpAtOnceWhatWillNeverBeAccepted) {
  FakeChannel* mail = AddChannel("mail", [](const Message&) {
    return absl::InvalidArgumentError("cannot read this");
  });
  outbox_.Add(Row(1, 1, "mail"));
  Start();
  ASSERT_TRUE(outbox_.WaitUntilGivenUp(1));
  EXPECT_EQ(mail->keys().size(), 1u);
  EXPECT_THAT(outbox_.row(1).last_error(), HasSubstr("cannot read this"));
}

TEST_F(DispatcherTest, GivesUpSoonWhenRefused) {
  FakeChannel* mail = AddChannel("mail", [](const Message&) {
    return absl::PermissionDeniedError("who are you");
  });
  outbox_.Add(Row(1, 1, "mail"));
  Start();
  for (uint32_t attempt = 1; attempt <= 2; ++attempt) {
    ASSERT_TRUE(outbox_.WaitUntilTried(1, attempt));
    Advance(absl::Hours(1));
  }
  ASSERT_TRUE(outbox_.WaitUntilGivenUp(1));
  EXPECT_EQ(mail->keys().size(), 3u);
}

TEST_F(DispatcherTest, GivesUpAfterADay) {
  AddChannel("mail",
             [](const Message&) { return absl::UnavailableError("down"); });
  outbox_.Add(Row(1, 1, "mail"));
  Start();
  ASSERT_TRUE(outbox_.WaitUntilTried(1, 1));
  Advance(absl::Hours(24) - absl::Seconds(1));
  ASSERT_TRUE(outbox_.WaitUntilTried(1, 2));
  EXPECT_FALSE(outbox_.row(1).has_given_up_at());
  Advance(absl::Hours(1));
  EXPECT_TRUE(outbox_.WaitUntilGivenUp(1));
}

TEST_F(DispatcherTest, ASlowChannelDelaysNoOther) {
  FakeChannel* slow = AddChannel("slow");
  FakeChannel* quick = AddChannel("quick");
  slow->Hold(true);
  for (uint32_t id = 1; id <= 100; ++id) outbox_.Add(Row(id, id, "slow"));
  Start();
  ASSERT_TRUE(slow->WaitForSends(1));
  for (uint32_t id = 101; id <= 150; ++id) outbox_.Add(Row(id, id, "quick"));
  for (uint32_t id = 101; id <= 150; ++id) {
    ASSERT_TRUE(outbox_.WaitUntilDelivered(id));
  }
  EXPECT_EQ(slow->keys().size(), 1u);
  EXPECT_EQ(quick->keys().size(), 50u);
  slow->Hold(false);
  EXPECT_TRUE(outbox_.WaitUntilDelivered(100));
}

TEST_F(DispatcherTest, TheBacklogOfADeadChannelHidesNoOther) {
  AddChannel("dead",
             [](const Message&) { return absl::UnavailableError("down"); });
  AddChannel("alive");
  for (uint32_t id = 1; id <= 2000; ++id) outbox_.Add(Row(id, id, "dead"));
  outbox_.Add(Row(3000, 3000, "alive"));
  Start();
  EXPECT_TRUE(outbox_.WaitUntilDelivered(3000));
}

TEST_F(DispatcherTest, AMessageNobodyAcceptsDoesNotHoldUpTheRest) {
  AddChannel("mail", [](const Message& message) {
    return message.notification.id() == 1 ? absl::UnavailableError("500")
                                          : absl::OkStatus();
  });
  for (uint32_t id = 1; id <= 20; ++id) outbox_.Add(Row(id, id, "mail"));
  Start();
  ASSERT_TRUE(outbox_.WaitUntilTried(1, 1));
  Advance(absl::Seconds(5));
  for (uint32_t id = 2; id <= 20; ++id) {
    EXPECT_TRUE(outbox_.WaitUntilDelivered(id));
  }
}

TEST_F(DispatcherTest, ADeadChannelIsNotTriedForEachMessage) {
  FakeChannel* mail = AddChannel(
      "mail", [](const Message&) { return absl::UnavailableError("down"); });
  FakeChannel* other = AddChannel("other");
  for (uint32_t id = 1; id <= 50; ++id) outbox_.Add(Row(id, id, "mail"));
  Start();
  ASSERT_TRUE(mail->WaitForSends(1));
  // Two rounds of the dispatcher later it is still at rest.
  for (uint32_t id = 51; id <= 52; ++id) {
    outbox_.Add(Row(id, id, "other"));
    ASSERT_TRUE(outbox_.WaitUntilDelivered(id));
  }
  EXPECT_EQ(mail->keys().size(), 1u);
  EXPECT_EQ(other->keys().size(), 2u);
}

TEST_F(DispatcherTest, GivesUpWhatNoChannelOrTicketIsLeftFor) {
  AddChannel("mail");
  find_ = [](uint32_t) -> absl::StatusOr<v1::TicketDetail> {
    return absl::NotFoundError("no such ticket");
  };
  outbox_.Add(Row(1, 1, "webhook:removed"));
  outbox_.Add(Row(2, 2, "mail"));
  Start();
  EXPECT_TRUE(outbox_.WaitUntilGivenUp(1));
  EXPECT_TRUE(outbox_.WaitUntilGivenUp(2));
  EXPECT_THAT(outbox_.row(2).last_error(), HasSubstr("ticket is gone"));
}

TEST_F(DispatcherTest, ABusyStoreCausesNoSecondSend) {
  FakeChannel* mail = AddChannel("mail");
  outbox_.FailNextWrites(1);
  outbox_.Add(Row(1, 1, "mail"));
  Start();
  EXPECT_TRUE(outbox_.WaitUntilDelivered(1));
  dispatcher_->Stop();
  EXPECT_EQ(mail->keys().size(), 1u);
}

TEST_F(DispatcherTest, StopEndsASendAndItsRowStaysDue) {
  FakeChannel* mail = AddChannel("mail");
  mail->Hold(true);
  outbox_.Add(Row(1, 1, "mail"));
  Start();
  ASSERT_TRUE(mail->WaitForSends(1));
  dispatcher_->Stop();
  EXPECT_EQ(outbox_.row(1).attempts(), 0u);
  EXPECT_FALSE(outbox_.row(1).has_delivered_at());
}

TEST_F(DispatcherTest, WhatACrashLeftIsSentByTheNextProcessWithItsKey) {
  FakeChannel* first = AddChannel("mail");
  first->Hold(true);
  outbox_.Add(Row(1, 1, "mail"));
  Start();
  ASSERT_TRUE(first->WaitForSends(1));
  dispatcher_.reset();
  FakeChannel* second = AddChannel("mail");
  Start();
  ASSERT_TRUE(outbox_.WaitUntilDelivered(1));
  EXPECT_THAT(second->keys(), ElementsAre("key-1"));
}

TEST(DispatcherHttpTest, AFailingReceiverGetsTheSameEventUntilItAccepts) {
  FakeHttpServer server;
  server.Answer({.status = 500, .headers = {}, .body = ""});
  server.Answer({.status = 503, .headers = {}, .body = "later"});
  v1::WebhookConfig config;
  config.set_name("chat");
  config.set_url(server.Url());
  base::Clock& clock = base::Clock::System();
  auto channel = WebhookChannel::Create(config, clock);
  ASSERT_THAT(channel, testing::IsOk());
  std::vector<std::unique_ptr<Channel>> channels;
  channels.push_back(*std::move(channel));
  FakeOutbox outbox;
  const words::Words words = ExampleWords();
  metrics::SelfMetrics metrics("test");
  Dispatcher dispatcher(
      {.first_retry = absl::Milliseconds(20)}, std::move(channels), outbox,
      [](uint32_t id) -> absl::StatusOr<v1::TicketDetail> {
        return ExampleTicket(id);
      },
      words, metrics, clock);
  v1::Notification row = ExampleNotification(1, 41, "opened", "webhook:chat");
  row.mutable_created_at()->set_seconds(absl::ToUnixSeconds(clock.Now()));
  dispatcher.Start();
  outbox.Add(row);
  ASSERT_TRUE(outbox.WaitUntilDelivered(1));
  dispatcher.Stop();
  auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3u);
  for (auto& request : requests) {
    EXPECT_EQ(request.headers["webhook-id"], "key-1");
    EXPECT_EQ(request.body, requests[0].body);
  }
  EXPECT_EQ(outbox.row(1).attempts(), 2u);
  EXPECT_EQ(metrics.Notifications("webhook:chat", "failed").Value(), 2);
}

}  // namespace
}  // namespace forewarn::notify
