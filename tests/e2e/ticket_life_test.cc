// From a reading to one ticket, its notification, and its end.

#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/base/mutex.h"
#include "tests/e2e/installation.h"
#include "tests/support/wait_until.h"

namespace forewarn::e2e {
namespace {

using ::forewarn::testing::WaitUntil;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// A probe that a test can make fail and mend: a TCP port.
constexpr char kRule[] = R"(
rules:
- id: test_probe_down
  subsystem: probe
  title: "{forewarn.probe.name} does not answer {host}"
  explanation: "The probe failed."
  causes: ["The service is down."]
  steps: ["Look at the service."]
  signal: {metric: forewarn.probe.up}
  levels:
  - {priority: P2, below: 0.5}
  quiet: 1s
)";

// Where webhooks go: keeps bodies by idempotency key, counts attempts.
class WebhookBox {
 public:
  WebhookBox() {
    server_.Post("/hook", [this](const httplib::Request& request,
                                 httplib::Response& response) {
      base::MutexLock lock(&mutex_);
      ++attempts_;
      if (refuse_ > 0) {
        --refuse_;
        response.status = 503;
        return;
      }
      const std::string id = request.get_header_value("webhook-id");
      const std::string signed_text =
          absl::StrCat(id, ".", request.get_header_value("webhook-timestamp"),
                       ".", request.body);
      unsigned char mac[EVP_MAX_MD_SIZE];
      unsigned int size = 0;
      HMAC(EVP_sha256(), "secret-of-the-test", 18,
           reinterpret_cast<const unsigned char*>(signed_text.data()),
           signed_text.size(), mac, &size);
      const std::string wanted =
          absl::StrCat("v1,", absl::Base64Escape(absl::string_view(
                                  reinterpret_cast<const char*>(mac), size)));
      signatures_good_ &=
          request.get_header_value("webhook-signature") == wanted;
      ++received_[id];
      bodies_.push_back(request.body);
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  ~WebhookBox() {
    server_.stop();
    thread_.join();
  }
  void RefuseNext(int count) {
    base::MutexLock lock(&mutex_);
    refuse_ = count;
  }
  int port() const { return port_; }
  int attempts() const {
    base::MutexLock lock(&mutex_);
    return attempts_;
  }
  std::map<std::string, int> received() const {
    base::MutexLock lock(&mutex_);
    return received_;
  }
  std::vector<std::string> bodies() const {
    base::MutexLock lock(&mutex_);
    return bodies_;
  }
  bool signatures_good() const {
    base::MutexLock lock(&mutex_);
    return signatures_good_;
  }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  mutable base::Mutex mutex_;
  int attempts_ ABSL_GUARDED_BY(mutex_) = 0;
  int refuse_ ABSL_GUARDED_BY(mutex_) = 0;
  bool signatures_good_ ABSL_GUARDED_BY(mutex_) = true;
  std::map<std::string, int> received_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> bodies_ ABSL_GUARDED_BY(mutex_);
};

class TicketLifeTest : public ::testing::Test {
 protected:
  TicketLifeTest()
      : secret_(folder_ / "secret"),
        installation_(
            absl::StrCat("notify:\n  first_retry: 1s\n  webhooks:\n"
                         "  - {name: box, url: \"http://127.0.0.1:",
                         box_.port(), "/hook\", secret_file: ", secret_,
                         ", allow_private_addresses: true}\n"
                         "correlation: {quiet: 1s}\n"),
            kRule) {
    folder_.Write("secret", "secret-of-the-test");
    chmod(secret_.c_str(), 0600);
  }

  void Start() {
    ASSERT_NO_FATAL_FAILURE(installation_.StartCollector());
    ASSERT_NO_FATAL_FAILURE(installation_.EnrollAgent());
    ASSERT_NO_FATAL_FAILURE(installation_.StartAgent(
        absl::StrCat("probes:\n- {name: shop, type: tcp, target: \"127.0.0.1:",
                     service_port_, "\", interval: 1s, timeout: 3s}\n")));
  }

  // The service the probe looks at.
  void ServiceUp() {
    service_ = std::make_unique<httplib::Server>();
    ASSERT_TRUE(service_->bind_to_port("127.0.0.1", service_port_));
    service_thread_ = std::thread([this] { service_->listen_after_bind(); });
  }
  void ServiceDown() {
    if (service_ == nullptr) return;
    WaitUntil([this] { return service_->is_running(); });
    service_->stop();
    service_thread_.join();
    service_.reset();
  }
  void TearDown() override { ServiceDown(); }

  std::vector<v1::Ticket> ProbeTickets() {
    std::vector<v1::Ticket> found;
    for (const v1::Ticket& ticket : installation_.Tickets()) {
      if (ticket.subsystem() == "probe") found.push_back(ticket);
    }
    return found;
  }
  bool StateIs(v1::TicketState state) {
    const auto tickets = ProbeTickets();
    return tickets.size() == 1 && tickets[0].state() == state;
  }

  static int FreePort() {
    httplib::Server probe;
    const int port = probe.bind_to_any_port("127.0.0.1");
    return port;
  }

  testing::TemporaryFolder folder_;
  WebhookBox box_;
  std::string secret_;
  int service_port_ = FreePort();
  std::unique_ptr<httplib::Server> service_;
  std::thread service_thread_;
  Installation installation_;
};

TEST_F(TicketLifeTest, OneFaultOneTicketWhichClosesByItself) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_TRUE(WaitUntil([this] { return StateIs(v1::NEW); }))
      << installation_.Logs();
  const v1::TicketDetail detail = installation_.Ticket(ProbeTickets()[0].id());
  EXPECT_EQ(detail.ticket().priority(), v1::P2);
  EXPECT_THAT(detail.ticket().title_text(), HasSubstr("shop does not answer"));
  ASSERT_THAT(detail.symptoms(), SizeIs(1));
  EXPECT_EQ(detail.symptoms(0).rule(), "test_probe_down");
  EXPECT_THAT(detail.rendered(), HasSubstr("Look at the service."));

  ServiceUp();
  ASSERT_TRUE(
      WaitUntil([this] { return StateIs(v1::RESOLVED); }, absl::Seconds(60)))
      << installation_.Logs();

  // It comes back: the same ticket, not a second one.
  ServiceDown();
  ASSERT_TRUE(WaitUntil([this] { return StateIs(v1::NEW); }))
      << installation_.Logs();
  // More than once where the machine is too busy for the probe.
  EXPECT_GE(ProbeTickets()[0].reopened(), 1u);
}

TEST_F(TicketLifeTest, ATicketAPersonHasBegunIsOnlyNoted) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_TRUE(WaitUntil([this] { return StateIs(v1::NEW); }))
      << installation_.Logs();
  const std::string id = absl::StrCat(ProbeTickets()[0].id());
  EXPECT_EQ(installation_.Forewarn({"ticket", "assign", id, "ingrid"}).code, 0);
  ServiceUp();
  ASSERT_TRUE(WaitUntil(
      [&] {
        const v1::TicketDetail detail =
            installation_.Ticket(ProbeTickets()[0].id());
        for (const v1::TicketEvent& event : detail.events()) {
          if (event.verb() == "recovered_noted") return true;
        }
        return false;
      },
      absl::Seconds(60)))
      << installation_.Logs();
  EXPECT_NE(ProbeTickets()[0].state(), v1::RESOLVED);
  EXPECT_EQ(ProbeTickets()[0].assignee(), "ingrid");
}

TEST_F(TicketLifeTest, ACollectorThatIsKilledMakesNoSecondTicket) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_TRUE(WaitUntil([this] { return StateIs(v1::NEW); }))
      << installation_.Logs();
  for (int i = 0; i < 3; ++i) {
    installation_.collector().Signal(SIGKILL);
    installation_.collector().Wait();
    ASSERT_NO_FATAL_FAILURE(installation_.StartCollector());
    ASSERT_TRUE(WaitUntil([this] { return installation_.AgentIsOnline(); },
                          absl::Seconds(60)))
        << installation_.Logs();
  }
  // The agent is back and its batches are judged; still one.
  ServiceUp();
  ASSERT_TRUE(
      WaitUntil([this] { return StateIs(v1::RESOLVED); }, absl::Seconds(90)))
      << installation_.Logs();
  EXPECT_THAT(ProbeTickets(), SizeIs(1));
}

TEST_F(TicketLifeTest, WebhooksAreSignedRetriedAndCarryOneKey) {
  box_.RefuseNext(2);
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_TRUE(
      WaitUntil([this] { return !box_.received().empty(); }, absl::Seconds(60)))
      << installation_.Logs();
  EXPECT_TRUE(box_.signatures_good());
  EXPECT_GE(box_.attempts(), 3);
  for (const auto& [key, count] : box_.received()) EXPECT_EQ(count, 1) << key;
  EXPECT_THAT(box_.bodies().front(), HasSubstr("forewarn.ticket.opened.v1"));
}

}  // namespace
}  // namespace forewarn::e2e
