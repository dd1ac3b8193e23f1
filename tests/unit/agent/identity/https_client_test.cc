#include "agent/identity/https_client.h"

#include <httplib.h>
#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_certificates.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TestCa;
using ::testing::HasSubstr;

// An HTTPS server that presents the chain it is given.
class TestServer {
 public:
  TestServer(const TestCa::Issued& leaf, const std::string& ca_pem)
      : server_(MakeServer(leaf, ca_pem)) {
    server_->Post("/echo", [this](const httplib::Request& request,
                                  httplib::Response& response) {
      ++requests_;
      response.set_content(request.body, "application/json");
    });
    server_->Post("/problem", [](const httplib::Request&,
                                 httplib::Response& response) {
      response.status = 403;
      response.set_content(
          R"({"title":"Forbidden","detail":"the token was used","status":403})",
          "application/problem+json");
    });
    server_->Post(
        "/endless", [](const httplib::Request&, httplib::Response& response) {
          response.set_content(std::string(1 << 20, 'x'), "text/plain");
        });
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::yield();
  }
  ~TestServer() {
    server_->stop();
    thread_.join();
  }

  std::string url(const std::string& host = "127.0.0.1") const {
    return absl::StrCat("https://", host, ":", port_);
  }
  int requests() const { return requests_; }

 private:
  static X509* Parse(const std::string& pem) {
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    return certificate;
  }
  static std::unique_ptr<httplib::SSLServer> MakeServer(
      const TestCa::Issued& leaf, const std::string& ca_pem) {
    return std::make_unique<httplib::SSLServer>([&](SSL_CTX& context) {
      BIO* bio = BIO_new_mem_buf(leaf.key_pem.data(), -1);
      EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
      BIO_free(bio);
      X509* certificate = Parse(leaf.certificate_pem);
      SSL_CTX_use_certificate(&context, certificate);
      SSL_CTX_use_PrivateKey(&context, key);
      if (!ca_pem.empty()) {
        SSL_CTX_add_extra_chain_cert(&context, Parse(ca_pem));
      }
      X509_free(certificate);
      EVP_PKEY_free(key);
      return true;
    });
  }

  const std::unique_ptr<httplib::SSLServer> server_;
  std::atomic<int> requests_ = 0;
  int port_ = 0;
  std::thread thread_;
};

constexpr char kLocal[] = "DNS:localhost,IP:127.0.0.1";

class HttpsClientTest : public ::testing::Test {
 protected:
  absl::StatusOr<HttpReply> Post(const std::string& url,
                                 const TrustedCa& trusted,
                                 const std::string& path = "/echo") {
    return client_.PostJson(url, path, "{\"secret\":1}", trusted);
  }

  const TestCa ca_;
  PinnedHttpsClient client_{absl::Seconds(10)};
};

TEST_F(HttpsClientTest, TrustsTheServerWhoseChainHasThePinnedCa) {
  const TestServer server(ca_.Issue(kLocal), ca_.pem());
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const auto reply = Post(server.url(host), {.pem = {}, .pin = ca_.pin()});
    FOREWARN_ASSERT_OK(reply);
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, "{\"secret\":1}");
  }
}

TEST_F(HttpsClientTest, TrustsTheServerOfAKnownCaThatItNeedNotSend) {
  const TestServer server(ca_.Issue(kLocal), "");
  FOREWARN_EXPECT_OK(Post(server.url(), {.pem = ca_.pem(), .pin = {}}));
}

TEST_F(HttpsClientTest, SendsNothingToAServerOfAnotherCa) {
  const TestCa other;
  const TestServer server(other.Issue(kLocal), other.pem());
  EXPECT_THAT(
      Post(server.url(), {.pem = {}, .pin = ca_.pin()}),
      StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("not trusted")));
  EXPECT_THAT(Post(server.url(), {.pem = ca_.pem(), .pin = {}}),
              StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(HttpsClientTest, IsNotFooledByTheRealCaBehindAForgedLeaf) {
  // The CA's certificate is public: anybody can present it.
  const TestCa forger("test CA");
  const TestServer server(forger.Issue(kLocal), ca_.pem());
  EXPECT_THAT(Post(server.url(), {.pem = {}, .pin = ca_.pin()}),
              StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(HttpsClientTest, RefusesALeafThatPosesAsThePin) {
  // A certificate of the real CA, but no CA itself.
  const TestCa::Issued leaf = ca_.Issue(kLocal);
  const TestServer server(leaf, "");
  EXPECT_THAT(Post(server.url(), {.pem = {}, .pin = ca_.pin()}),
              StatusIs(absl::StatusCode::kUnauthenticated,
                       HasSubstr("does not present the CA")));
}

TEST_F(HttpsClientTest, RefusesACertificateForAnotherHost) {
  const TestServer server(ca_.Issue("DNS:elsewhere.example,IP:192.0.2.1"),
                          ca_.pem());
  for (const char* host : {"127.0.0.1", "localhost"}) {
    EXPECT_THAT(
        Post(server.url(host), {.pem = {}, .pin = ca_.pin()}),
        StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("mismatch")));
  }
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(HttpsClientTest, RefusesAnExpiredCertificate) {
  const TestServer server(ca_.Issue(kLocal, absl::Now() - absl::Hours(2),
                                    absl::Now() - absl::Hours(1)),
                          ca_.pem());
  EXPECT_THAT(
      Post(server.url(), {.pem = {}, .pin = ca_.pin()}),
      StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("expired")));
}

TEST_F(HttpsClientTest, HasNoModeWithoutACheck) {
  const TestServer server(ca_.Issue(kLocal), ca_.pem());
  EXPECT_THAT(Post(server.url(), {}), StatusIs(absl::StatusCode::kInternal));
}

TEST_F(HttpsClientTest, IsUnavailableWhenNobodyListens) {
  EXPECT_THAT(Post("https://127.0.0.1:1", {.pem = {}, .pin = ca_.pin()}),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(HttpsClientTest, BoundsTheAnswer) {
  const TestServer server(ca_.Issue(kLocal), ca_.pem());
  EXPECT_FALSE(
      Post(server.url(), {.pem = {}, .pin = ca_.pin()}, "/endless").ok());
}

TEST_F(HttpsClientTest, TellsAProblemInTheServersWords) {
  const TestServer server(ca_.Issue(kLocal), ca_.pem());
  const auto reply =
      Post(server.url(), {.pem = {}, .pin = ca_.pin()}, "/problem");
  FOREWARN_ASSERT_OK(reply);
  EXPECT_THAT(StatusOfReply(*reply, "enrol"),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       "enrol: Forbidden: the token was used "
                       "(HTTP status 403)"));
}

TEST(StatusOfReplyTest, TellsRetryableFromFinal) {
  const auto code = [](int status) {
    return StatusOfReply({.status = status, .content_type = {}, .body = {}},
                         "x")
        .code();
  };
  EXPECT_EQ(code(204), absl::StatusCode::kOk);
  EXPECT_EQ(code(400), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(401), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(code(429), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code(503), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace forewarn::agent
