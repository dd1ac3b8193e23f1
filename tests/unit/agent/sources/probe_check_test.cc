#include "agent/sources/probe_check.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/agent/sources/test_certificate.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TestCertificate;
using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(30);

// Listens on a free port of the loopback and accepts nobody: the kernel
// completes connections, what is asked is never answered.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    bind(fd_, reinterpret_cast<sockaddr*>(&address), length);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(fd_); }

  void Listen() { listen(fd_, 5); }
  int port() const { return port_; }

 private:
  const int fd_;
  int port_ = 0;
};

class Server {
 public:
  explicit Server(std::unique_ptr<httplib::Server> server)
      : server_(std::move(server)) {
    server_->Get("/ok", [](const httplib::Request&, httplib::Response& out) {
      out.set_content("fine", "text/plain");
    });
    server_->Get("/bad", [](const httplib::Request&, httplib::Response& out) {
      out.status = 503;
    });
    server_->Get("/away", [](const httplib::Request&, httplib::Response& out) {
      out.set_redirect("/ok");
    });
    server_->Get("/large", [](const httplib::Request&, httplib::Response& out) {
      out.set_content(std::string(8 << 20, 'x'), "text/plain");
    });
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::yield();
  }
  ~Server() {
    server_->stop();
    thread_.join();
  }
  std::string Url(const std::string& scheme, const std::string& path) const {
    return absl::StrCat(scheme, "://127.0.0.1:", port_, path);
  }

 private:
  const std::unique_ptr<httplib::Server> server_;
  int port_ = 0;
  std::thread thread_;
};

ProbeResult RunProbe(absl::string_view type, const std::string& target,
                     absl::Duration timeout = kLong) {
  return MakeProbeCheck(type, target, timeout)->Run();
}

TEST(ProbeCheckTest, KnowsItsTypesOnly) {
  for (const char* type : {"dns", "tcp", "http", "ping"}) {
    EXPECT_NE(MakeProbeCheck(type, "x", kLong), nullptr) << type;
  }
  EXPECT_EQ(MakeProbeCheck("smtp", "x", kLong), nullptr);
}

TEST(ProbeCheckTest, DnsLooksUpAName) {
  const ProbeResult result = RunProbe("dns", "localhost");
  FOREWARN_EXPECT_OK(result.status);
  EXPECT_GT(result.duration, absl::ZeroDuration());
}

TEST(ProbeCheckTest, TcpSucceedsWhereSomeoneListens) {
  Listener listener;
  listener.Listen();
  const ProbeResult result =
      RunProbe("tcp", absl::StrCat("127.0.0.1:", listener.port()));
  FOREWARN_EXPECT_OK(result.status);
  EXPECT_GT(result.duration, absl::ZeroDuration());
}

TEST(ProbeCheckTest, TcpFailsWhereNobodyListens) {
  Listener bound_only;
  const ProbeResult result =
      RunProbe("tcp", absl::StrCat("127.0.0.1:", bound_only.port()));
  EXPECT_THAT(result.status,
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("refused")));
  EXPECT_THAT(RunProbe("tcp", "127.0.0.1").status,
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ProbeCheckTest, HttpReadsStatusAndTime) {
  Server server(std::make_unique<httplib::Server>());
  const ProbeResult ok = RunProbe("http", server.Url("http", "/ok?a=1#b"));
  FOREWARN_EXPECT_OK(ok.status);
  EXPECT_EQ(ok.http_status, 200);
  EXPECT_GT(ok.duration, absl::ZeroDuration());
  EXPECT_EQ(ok.certificate_expires, std::nullopt);
  const ProbeResult bad = RunProbe("http", server.Url("http", "/bad"));
  EXPECT_THAT(bad.status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr("status 503")));
  EXPECT_EQ(bad.http_status, 503);
  const ProbeResult away = RunProbe("http", server.Url("http", "/away"));
  FOREWARN_EXPECT_OK(away.status);
  EXPECT_EQ(away.http_status, 302);
}

TEST(ProbeCheckTest, HttpNeedsNotTheWholeOfALargeBody) {
  Server server(std::make_unique<httplib::Server>());
  const ProbeResult result = RunProbe("http", server.Url("http", "/large"));
  FOREWARN_EXPECT_OK(result.status);
  EXPECT_EQ(result.http_status, 200);
}

TEST(ProbeCheckTest, HttpRefusesWhatIsNoUrl) {
  for (const char* url :
       {"", "ftp://x/", "http://", "https:///x", "http://user:word@x/",
        "http://x:99999999999/", "127.0.0.1"}) {
    EXPECT_THAT(RunProbe("http", url).status,
                StatusIs(absl::StatusCode::kInvalidArgument))
        << url;
  }
}

TEST(ProbeCheckTest, HttpGivesUpOnAServerThatSaysNothing) {
  Listener silent;
  silent.Listen();
  const ProbeResult result =
      RunProbe("http", absl::StrCat("http://127.0.0.1:", silent.port(), "/"),
               absl::Milliseconds(50));
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(result.http_status, std::nullopt);
}

TEST(ProbeCheckTest, HttpCanBeCancelled) {
  Listener silent;
  silent.Listen();
  const std::shared_ptr<ProbeCheck> check = MakeProbeCheck(
      "http", absl::StrCat("http://127.0.0.1:", silent.port(), "/"),
      absl::Minutes(10));
  check->Cancel();
  EXPECT_THAT(check->Run().status, StatusIs(absl::StatusCode::kCancelled));
}

TEST(ProbeCheckTest, HttpsNeedsATrustedCertificateAndReadsItsExpiryAnyhow) {
  const absl::Time expires = absl::FromUnixSeconds(4'000'000'000);
  const TestCertificate own("127.0.0.1", expires);
  Server server(
      std::make_unique<httplib::SSLServer>(own.certificate(), own.key()));
  const ProbeResult result = RunProbe("http", server.Url("https", "/ok"));
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(result.certificate_expires, expires);
  EXPECT_EQ(result.http_status, std::nullopt);
}

}  // namespace
}  // namespace forewarn::agent
