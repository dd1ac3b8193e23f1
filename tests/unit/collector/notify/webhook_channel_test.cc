#include "collector/notify/webhook_channel.h"

#include <filesystem>
#include <string>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_http_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/collector/notify/curl_environment.h"
#include "tests/unit/collector/notify/example_ticket.h"

namespace forewarn::notify {
namespace {

using ::forewarn::testing::FakeClock;
using ::forewarn::testing::FakeHttpServer;
using ::forewarn::testing::HttpReply;
using ::forewarn::testing::HttpRequest;
using ::forewarn::testing::IsOk;
using ::forewarn::testing::IsOkAndHolds;
using ::forewarn::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

class WebhookChannelTest : public ::testing::Test {
 protected:
  v1::WebhookConfig Config() const {
    v1::WebhookConfig config;
    config.set_name("chat");
    config.set_url(server_.Url());
    return config;
  }
  std::string SecretFile(const std::string& secret) {
    folder_.Write("secret", secret);
    std::filesystem::permissions(folder_ / "secret",
                                 std::filesystem::perms(0600));
    return folder_ / "secret";
  }
  std::unique_ptr<WebhookChannel> Make(
      const v1::WebhookConfig& config,
      absl::Duration timeout = absl::Seconds(10)) {
    auto channel = WebhookChannel::Create(config, clock_, timeout);
    EXPECT_THAT(channel, IsOk());
    return channel.ok() ? *std::move(channel) : nullptr;
  }
  absl::Status SendTo(HttpReply reply) {
    server_.Answer(std::move(reply));
    return Make(Config())->Send(ExampleMessage());
  }

  testing::TemporaryFolder folder_;
  FakeClock clock_;
  FakeHttpServer server_;
};

TEST(WebhookSignatureTest, IsThatOfTheStandardsExample) {
  const auto key = WebhookKey(kSecret);
  ASSERT_THAT(key, IsOk());
  EXPECT_EQ(WebhookSignature(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                             R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookKeyTest, IsBase64BehindItsPrefixElseTheBytes) {
  EXPECT_THAT(WebhookKey("sixteen bytes ok"), IsOkAndHolds("sixteen bytes ok"));
  EXPECT_THAT(WebhookKey("whsec_!!!"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(WebhookKey("too short"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(WebhookChannelTest, PostsASignedCloudEvent) {
  v1::WebhookConfig config = Config();
  config.set_secret_file(SecretFile(absl::StrCat(kSecret, "\n")));
  const auto channel = Make(config);
  EXPECT_EQ(channel->name(), "webhook:chat");
  ASSERT_THAT(channel->Send(ExampleMessage()), IsOk());

  const auto requests = server_.WaitFor(1);
  ASSERT_EQ(requests.size(), 1u);
  HttpRequest request = requests[0];
  EXPECT_EQ(request.line, "POST /hook HTTP/1.1");
  EXPECT_THAT(request.headers["content-type"],
              HasSubstr("application/cloudevents+json"));
  EXPECT_EQ(request.headers["webhook-id"], "key-7");
  EXPECT_EQ(request.headers["webhook-timestamp"], "1800000000");
  std::string key;
  ASSERT_TRUE(absl::Base64Unescape(kSecret + 6, &key));
  EXPECT_EQ(request.headers["webhook-signature"],
            WebhookSignature(key, "key-7", "1800000000", request.body));
  EXPECT_THAT(CloudEventJson(ExampleMessage()), IsOkAndHolds(request.body));
}

TEST_F(WebhookChannelTest, EachAttemptHasTheSameIdAndAFreshTime) {
  const auto channel = Make(Config());
  server_.Answer({.status = 500, .headers = {}, .body = ""});
  EXPECT_FALSE(channel->Send(ExampleMessage()).ok());
  clock_.Advance(absl::Minutes(10));
  EXPECT_THAT(channel->Send(ExampleMessage()), IsOk());
  auto requests = server_.WaitFor(2);
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].headers["webhook-id"], "key-7");
  EXPECT_EQ(requests[1].headers["webhook-id"], "key-7");
  EXPECT_EQ(requests[1].headers["webhook-timestamp"], "1800000600");
}

TEST_F(WebhookChannelTest, WithoutASecretThereIsNoSignature) {
  ASSERT_THAT(Make(Config())->Send(ExampleMessage()), IsOk());
  EXPECT_EQ(server_.WaitFor(1)[0].headers.count("webhook-signature"), 0u);
}

TEST_F(WebhookChannelTest, TellsWhatMayPassFromWhatIsRefused) {
  for (int code : {408, 425, 429, 500, 502, 503}) {
    EXPECT_THAT(SendTo({.status = code, .headers = {}, .body = ""}),
                StatusIs(absl::StatusCode::kUnavailable))
        << code;
  }
  for (int code : {401, 403, 404}) {
    EXPECT_THAT(SendTo({.status = code, .headers = {}, .body = ""}),
                StatusIs(absl::StatusCode::kPermissionDenied))
        << code;
  }
  for (int code : {400, 410, 413, 422}) {
    EXPECT_THAT(SendTo({.status = code, .headers = {}, .body = ""}),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << code;
  }
}

TEST_F(WebhookChannelTest, PassesOnHowLongTheReceiverWantsPeace) {
  const absl::Status status = SendTo(
      {.status = 429, .headers = {"Retry-After: 120"}, .body = "slow down"});
  EXPECT_EQ(RetryAfter(status), absl::Seconds(120));
  EXPECT_EQ(RetryAfter(SendTo({.status = 503, .headers = {}, .body = ""})),
            std::nullopt);
  EXPECT_EQ(RetryAfter(SendTo(
                {.status = 503, .headers = {"Retry-After: -5"}, .body = ""})),
            std::nullopt);
}

TEST_F(WebhookChannelTest, FollowsNoRedirect) {
  EXPECT_THAT(
      SendTo({.status = 302,
              .headers = {absl::StrCat("Location: ", server_.Url("/other"))},
              .body = ""}),
      StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(WebhookChannelTest, AnEndlessAnswerIsCutAndItsStatusCounts) {
  const std::string long_body(1024 * 1024, 'x');
  EXPECT_THAT(SendTo({.status = 200, .headers = {}, .body = long_body}),
              IsOk());
  EXPECT_THAT(SendTo({.status = 500, .headers = {}, .body = long_body}),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(WebhookChannelTest, DoesNotWaitForEver) {
  server_.Answer({.status = 200, .headers = {}, .body = "", .hang = true});
  EXPECT_THAT(Make(Config(), absl::Milliseconds(200))->Send(ExampleMessage()),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(WebhookChannelTest, CancelEndsASendInProgress) {
  server_.Answer({.status = 200, .headers = {}, .body = "", .hang = true});
  const auto channel = Make(Config(), absl::Minutes(1));
  absl::Status sent;
  std::thread sender([&] { sent = channel->Send(ExampleMessage()); });
  server_.WaitFor(1);
  channel->Cancel();
  sender.join();
  EXPECT_THAT(sent, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(WebhookChannelTest, HeadersCannotBeForgedByAKey) {
  Message message = ExampleMessage();
  message.notification.set_idempotency_key("k\r\nX-Forged: yes");
  ASSERT_THAT(Make(Config())->Send(message), IsOk());
  EXPECT_EQ(server_.WaitFor(1)[0].headers.count("x-forged"), 0u);
}

TEST_F(WebhookChannelTest, RefusesUrlsThatHideOrLeak) {
  const auto create = [this](const std::string& url, bool allow = false) {
    v1::WebhookConfig config = Config();
    config.set_url(url);
    config.set_allow_private_addresses(allow);
    return WebhookChannel::Create(config, clock_).status();
  };
  const auto is_wrong = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(create("https://hooks.example.com/x"), IsOk());
  EXPECT_THAT(create("http://hooks.example.com/x"), is_wrong);
  EXPECT_THAT(create("http://intranet/x", true), IsOk());
  EXPECT_THAT(create("file:///etc/passwd", true), is_wrong);
  EXPECT_THAT(create("https://user:password@hooks.example.com/"), is_wrong);
  EXPECT_THAT(create("https://2130706433/"), is_wrong);
  EXPECT_THAT(create("http://0x7f.1/"), is_wrong);
  EXPECT_THAT(create(""), is_wrong);
  EXPECT_THAT(create("not a url"), is_wrong);
}

TEST_F(WebhookChannelTest, RefusesToConnectToPrivateAddresses) {
  // A mapped address is not the loopback address that may be written.
  v1::WebhookConfig config = Config();
  config.set_url(
      absl::StrCat("https://[::ffff:127.0.0.1]:", server_.port(), "/"));
  auto channel = WebhookChannel::Create(config, clock_);
  if (channel.ok()) {
    EXPECT_THAT((*channel)->Send(ExampleMessage()),
                StatusIs(absl::StatusCode::kPermissionDenied));
  }
  config.set_url("https://169.254.169.254/latest/meta-data");
  EXPECT_THAT(Make(config)->Send(ExampleMessage()),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("private address")));
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(WebhookChannelTest, ErrorsDoNotShowTheUrl) {
  v1::WebhookConfig config = Config();
  {
    FakeHttpServer gone;
    config.set_url(gone.Url("/token-T0P5ECRET"));
  }
  const absl::Status status = Make(config)->Send(ExampleMessage());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(status.ToString(), Not(HasSubstr("T0P5ECRET")));
}

TEST_F(WebhookChannelTest, TlsIsVerified) {
  // The fake speaks no TLS; whatever it says, nothing is posted.
  v1::WebhookConfig config = Config();
  config.set_url(absl::StrCat("https://127.0.0.1:", server_.port(), "/"));
  EXPECT_THAT(Make(config, absl::Milliseconds(500))->Send(ExampleMessage()),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(server_.requests().empty());
}

}  // namespace
}  // namespace forewarn::notify
