#include "collector/api/https_server.h"

#include <sys/stat.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "collector/api/problem.h"
#include "collector/identity/certificate_authority.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/base/clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/wait_until.h"
#include "tests/unit/collector/api/tls_client.h"

namespace forewarn::api {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;
using ::forewarn::testing::WaitUntil;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kGet[] = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

// Says what it was asked, in a form that tests can read.
HttpResponse Echo(const HttpRequest& request) {
  HttpResponse response;
  response.content_type = "text/plain";
  response.body =
      absl::StrCat(request.method, " ", request.target, " body=", request.body,
                   " authorization=", request.Header("authorization"),
                   " peer=", request.peer);
  return response;
}

class HttpsServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto authority = identity::CertificateAuthority::OpenOrCreate(
        folder_ / "ca", base::Clock::System());
    FOREWARN_ASSERT_OK(authority);
    authority_ = *std::move(authority);
    auto files = authority_->EnsureServerCertificate({"localhost"});
    FOREWARN_ASSERT_OK(files);
    options_.port = 0;
    options_.linger_timeout = absl::Milliseconds(50);
    options_.certificate_path = files->certificate_path;
    options_.key_path = files->key_path;
  }

  uint16_t Start(HttpHandler handler = Echo) {
    auto server = HttpsServer::Start(options_, std::move(handler));
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    return server_->port();
  }

  // What one request gets, until the server closes.
  std::string Exchange(absl::string_view bytes) {
    TlsClient client(server_->port());
    client.Send(bytes);
    return client.ReadAll();
  }

  TemporaryFolder folder_;
  std::unique_ptr<identity::CertificateAuthority> authority_;
  HttpsServerOptions options_;
  std::unique_ptr<HttpsServer> server_;
};

TEST_F(HttpsServerTest, AnswersWithRequestIdAndSecurityHeaders) {
  TlsClient client(Start());
  ASSERT_TRUE(client.connected());
  client.Send(kGet);
  const std::string answer = client.ReadAnswer();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("GET /x body= authorization= peer=127.0.0.1"));
  EXPECT_THAT(answer, HasSubstr("X-Request-Id: "));
  EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff"));
  EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store"));
  EXPECT_THAT(answer, HasSubstr("GMT\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Access-Control")));
}

TEST_F(HttpsServerTest, KeepsTheConnectionForTheNextRequest) {
  TlsClient client(Start());
  for (int i = 0; i < 3; ++i) {
    client.Send(kGet);
    EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 200"));
  }
  EXPECT_EQ(server_->stats().connections, 1u);
  EXPECT_EQ(server_->stats().requests, 3u);
}

TEST_F(HttpsServerTest, AnswersPipelinedRequestsInOrder) {
  TlsClient client(Start());
  client.Send(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("GET /1 "));
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("GET /2 "));
}

TEST_F(HttpsServerTest, AnswersHeadWithoutTheBody) {
  TlsClient client(Start());
  client.Send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = client.ReadAnswer(/*has_body=*/false);
  EXPECT_THAT(answer, HasSubstr("Content-Length: 43\r\n"));
  client.Send(kGet);
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpsServerTest, ReadsABodyInChunks) {
  Start();
  EXPECT_THAT(Exchange("POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
              HasSubstr("body=abcde"));
}

TEST_F(HttpsServerTest, IgnoresTrailersAsHeaders) {
  Start();
  const std::string answer = Exchange(
      "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
      "Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n"
      "1\r\na\r\n0\r\nAuthorization: Bearer late\r\n\r\n");
  EXPECT_THAT(answer, Not(HasSubstr("late")));
}

TEST_F(HttpsServerTest, AsksForTheBodyWhenTheClientWaits) {
  TlsClient client(Start());
  client.Send(
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 100 "));
  client.Send("abc");
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("body=abc"));
}

TEST_F(HttpsServerTest, RefusesAnOversizeHeader) {
  Start();
  EXPECT_THAT(Exchange(absl::StrCat("GET /x HTTP/1.1\r\nHost: a\r\nX: ",
                                    std::string(20000, 'x'), "\r\n\r\n")),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(Exchange(absl::StrCat("GET /", std::string(20000, 'x'),
                                    " HTTP/1.1\r\nHost: a\r\n\r\n")),
              StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpsServerTest, RefusesMoreThan64HeaderFields) {
  Start();
  std::string request = "GET /x HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 64; ++i) absl::StrAppend(&request, "X", i, ": 1\r\n");
  EXPECT_THAT(Exchange(request + "\r\n"), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpsServerTest, RefusesAnOversizeBodyBeforeItIsSent) {
  Start();
  EXPECT_THAT(Exchange("POST /x HTTP/1.1\r\nHost: a\r\n"
                       "Content-Length: 1048577\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpsServerTest, RefusesAnOversizeBodyInChunks) {
  Start();
  std::string request =
      "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 18; ++i) {
    absl::StrAppend(&request, "10000\r\n", std::string(65536, 'x'), "\r\n");
  }
  EXPECT_THAT(Exchange(request), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpsServerTest, RefusesRequestsThatTwoReadersUnderstandInTwoWays) {
  Start();
  const std::string cases[] = {
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nContent-Length: 6\r\n",
      "Content-Length: 5, 5\r\n",
      "Content-Length: -1\r\n",
      "Transfer-Encoding: gzip, chunked\r\n",
      "Transfer-Encoding: identity\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "Host: b\r\n",
      "Bad Name: x\r\n",
      "Space : x\r\n",
  };
  for (const std::string& fields : cases) {
    EXPECT_THAT(Exchange(absl::StrCat("POST /x HTTP/1.1\r\nHost: a\r\n", fields,
                                      "\r\n0\r\n\r\n")),
                StartsWith("HTTP/1.1 400 "))
        << fields;
  }
}

TEST_F(HttpsServerTest, RefusesWhatIsNoHttp) {
  Start();
  for (const char* bytes :
       {"nonsense\r\n\r\n", "GET /x HTTP/1.1\r\n\r\n",
        "GET /x HTTP/9.9\r\nHost: a\r\n\r\n", "GET / x HTTP/1.1\r\n\r\n",
        "\x16\x03\x01 twice encrypted"}) {
    EXPECT_THAT(Exchange(bytes), StartsWith("HTTP/1.1 400 ")) << bytes;
  }
}

TEST_F(HttpsServerTest, TellsASlowClientAndCloses) {
  options_.read_timeout = absl::Milliseconds(200);
  Start();
  const std::string answer = Exchange("GET /x HTTP/1.1\r\nHost:");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_THAT(answer, HasSubstr("application/problem+json"));
  EXPECT_THAT(Exchange("POST /x HTTP/1.1\r\nHost: a\r\n"
                       "Content-Length: 5\r\n\r\nab"),
              StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpsServerTest, ClosesAnIdleConnectionWithoutAWord) {
  options_.idle_timeout = absl::Milliseconds(100);
  TlsClient client(Start());
  client.Send(kGet);
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(HttpsServerTest, ClosesAConnectionThatNeverShakesHands) {
  options_.handshake_timeout = absl::Milliseconds(100);
  const uint16_t port = Start();
  const int plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(
      connect(plain, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
      0);
  char byte;
  EXPECT_EQ(read(plain, &byte, 1), 0);
  close(plain);
  EXPECT_TRUE(
      WaitUntil([this] { return server_->stats().handshakes_failed == 1; }));
}

TEST_F(HttpsServerTest, RefusesConnectionsOverTheLimit) {
  options_.connections = 2;
  const uint16_t port = Start();
  auto first = std::make_unique<TlsClient>(port);
  TlsClient second(port);
  EXPECT_FALSE(TlsClient(port).connected());
  EXPECT_EQ(server_->stats().connections_refused, 1u);
  first.reset();
  ASSERT_TRUE(
      WaitUntil([this] { return server_->stats().open_connections == 1; }));
  EXPECT_TRUE(TlsClient(port).connected());
}

TEST_F(HttpsServerTest, RefusesConnectionsOfOnePeerOverItsLimit) {
  options_.connections_per_peer = 1;
  const uint16_t port = Start();
  TlsClient first(port);
  EXPECT_TRUE(first.connected());
  EXPECT_FALSE(TlsClient(port).connected());
}

TEST_F(HttpsServerTest, SpeaksTls12WithForwardSecrecyAndNothingOlder) {
  const uint16_t port = Start();
  TlsClient newer(port, TLS1_2_VERSION);
  EXPECT_TRUE(newer.connected());
  EXPECT_THAT(newer.cipher(), StartsWith("ECDHE-"));
  EXPECT_FALSE(TlsClient(port, TLS1_1_VERSION).connected());
}

TEST_F(HttpsServerTest, TakesANewCertificateWithoutARestart) {
  options_.certificate_check = absl::Milliseconds(20);
  const uint16_t port = Start();
  const std::string before = TlsClient(port).ServerSerial();
  FOREWARN_ASSERT_OK(authority_->EnsureServerCertificate({"other.example"}));
  EXPECT_TRUE(
      WaitUntil([&] { return TlsClient(port).ServerSerial() != before; }));
}

TEST_F(HttpsServerTest, KeepsTheOldCertificateWhenTheNewOneIsBroken) {
  options_.certificate_check = absl::Milliseconds(20);
  const uint16_t port = Start();
  folder_.Write("ca/server.pem", "no certificate");
  // Long enough for several looks.
  TlsClient idle(port);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(TlsClient(port).connected());
  EXPECT_EQ(server_->stats().certificate_reloads, 0u);
}

TEST_F(HttpsServerTest, LetsARunningRequestFinishWhenItStops) {
  base::Alarm entered;
  base::Alarm release;
  const uint16_t port = Start([&](const HttpRequest& request) {
    entered.Wake();
    release.WaitFor(absl::Seconds(20));
    return Echo(request);
  });
  TlsClient idle(port);
  TlsClient busy(port);
  busy.Send(kGet);
  ASSERT_TRUE(entered.WaitFor(absl::Seconds(20)));
  std::thread stopper([this] { server_->Stop(); });
  EXPECT_EQ(idle.ReadAll(), "");  // closed: the stop has begun
  release.Wake();
  const std::string answer = busy.ReadAll();
  stopper.join();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_FALSE(TlsClient(port).connected());
}

TEST_F(HttpsServerTest, RunsHandlersSideBySide) {
  std::atomic<int> inside{0};
  const uint16_t port = Start([&](const HttpRequest& request) {
    ++inside;
    EXPECT_TRUE(WaitUntil([&] { return inside == 2; }));
    return Echo(request);
  });
  TlsClient first(port);
  TlsClient second(port);
  first.Send(kGet);
  second.Send(kGet);
  EXPECT_THAT(first.ReadAnswer(), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(second.ReadAnswer(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpsServerTest, SurvivesAHandlerThatThrows) {
  Start([](const HttpRequest&) -> HttpResponse {
    throw std::runtime_error("secret reason");
  });
  TlsClient client(server_->port());
  client.Send(kGet);
  const std::string answer = client.ReadAnswer();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, Not(HasSubstr("secret reason")));
}

TEST_F(HttpsServerTest, SaysWhyItCannotStart) {
  Start();
  HttpsServerOptions taken = options_;
  taken.port = server_->port();
  EXPECT_THAT(HttpsServer::Start(taken, Echo).status(),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("Address already in use")));
  HttpsServerOptions named = options_;
  named.address = "example.org";
  EXPECT_THAT(HttpsServer::Start(named, Echo).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("not an IP address")));
  HttpsServerOptions bare = options_;
  bare.certificate_path = folder_ / "missing.pem";
  EXPECT_THAT(
      HttpsServer::Start(bare, Echo).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("missing.pem")));
}

}  // namespace
}  // namespace forewarn::api
