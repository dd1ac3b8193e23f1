#include "agent/uplink/grpc_transport.h"

#include <httplib.h>
#include <openssl/ssl.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "forewarn/v1/telemetry.grpc.pb.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_certificates.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TestCa;
using ::testing::HasSubstr;

// Answers Hello with Welcome, each batch with an ack, the end with OK.
class EchoTelemetry final : public v1::Telemetry::Service {
 public:
  grpc::Status Report(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::CollectorMessage, v1::AgentMessage>* stream)
      override {
    v1::AgentMessage message;
    while (stream->Read(&message)) {
      v1::CollectorMessage answer;
      if (message.has_hello()) {
        for (const grpc::string_ref& name :
             context->auth_context()->FindPropertyValues(
                 "x509_subject_alternative_name")) {
          answer.mutable_welcome()->set_collector_version(
              std::string(name.data(), name.size()));
        }
        answer.mutable_welcome()->set_credits(4);
      } else if (message.has_batch()) {
        answer.mutable_ack()->set_sequence(message.batch().sequence());
      } else {
        continue;
      }
      stream->Write(answer);
    }
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "enough");
  }
};

class GrpcTransportTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { signal(SIGPIPE, SIG_IGN); }

  // `names` of the collector's certificate.
  void Serve(const std::string& names = "DNS:localhost,IP:127.0.0.1") {
    const TestCa::Issued issued = ca_.Issue(names);
    grpc::SslServerCredentialsOptions tls(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    tls.pem_root_certs = ca_.pem();
    tls.pem_key_cert_pairs.push_back({issued.key_pem, issued.certificate_pem});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls),
                             &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  void TearDown() override {
    if (server_ != nullptr) server_->Shutdown();
  }
  Identity IdentityOf(const TestCa& issuer, const TestCa& trusted) {
    const TestCa::Issued issued = issuer.Issue("URI:forewarn://endpoint/77");
    return {.key_pem = issued.key_pem,
            .certificate_pem = issued.certificate_pem,
            .ca_pem = trusted.pem(),
            .endpoint_id = "77",
            .collectors = {},
            .urls = {},
            .not_before = {},
            .not_after = {}};
  }
  std::string address(const std::string& host = "127.0.0.1") const {
    return absl::StrCat(host, ":", port_);
  }
  absl::Status Greet(const std::string& where, const Identity& identity) {
    const std::unique_ptr<Stream> stream = transport_.Open(where, identity);
    v1::AgentMessage hello;
    hello.mutable_hello();
    v1::CollectorMessage answer;
    if (stream->Write(hello) && stream->Read(answer)) {
      stream->Cancel();
      while (stream->Read(answer)) continue;
      stream->Finish().IgnoreError();
      return absl::OkStatus();
    }
    return stream->Finish();
  }

  const TestCa ca_{"collector CA"};
  EchoTelemetry service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  GrpcTransport transport_;
};

TEST_F(GrpcTransportTest, CarriesAStreamBothWaysAndTellsHowItEnded) {
  Serve();
  const std::unique_ptr<Stream> stream =
      transport_.Open(address(), IdentityOf(ca_, ca_));
  v1::AgentMessage message;
  message.mutable_hello();
  ASSERT_TRUE(stream->Write(message));
  v1::CollectorMessage answer;
  ASSERT_TRUE(stream->Read(answer));
  EXPECT_EQ(answer.welcome().collector_version(), "forewarn://endpoint/77");
  message.mutable_batch()->set_sequence(9);
  ASSERT_TRUE(stream->Write(message));
  ASSERT_TRUE(stream->Read(answer));
  EXPECT_EQ(answer.ack().sequence(), 9u);
  stream->HalfClose();
  EXPECT_FALSE(stream->Read(answer));
  EXPECT_THAT(stream->Finish(),
              StatusIs(absl::StatusCode::kResourceExhausted, "enough"));
}

TEST_F(GrpcTransportTest, ChecksTheCollectorsNameAndAddress) {
  Serve();
  FOREWARN_EXPECT_OK(Greet(address("localhost"), IdentityOf(ca_, ca_)));
  server_->Shutdown();
  Serve("DNS:elsewhere.example");
  EXPECT_FALSE(Greet(address("localhost"), IdentityOf(ca_, ca_)).ok());
  EXPECT_FALSE(Greet(address(), IdentityOf(ca_, ca_)).ok());
}

TEST_F(GrpcTransportTest, RefusesACollectorOfAnotherCa) {
  Serve();
  const TestCa other;
  EXPECT_THAT(Greet(address(), IdentityOf(ca_, other)),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(GrpcTransportTest, FailsSoonWhenNobodyListens) {
  EXPECT_THAT(Greet("127.0.0.1:1", IdentityOf(ca_, ca_)),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(GrpcTransportTest, ProbeTellsGoodFromBad) {
  Serve();
  FOREWARN_EXPECT_OK(
      transport_.Probe(address(), IdentityOf(ca_, ca_), absl::Seconds(20)));
  EXPECT_FALSE(
      transport_.Probe("127.0.0.1:1", IdentityOf(ca_, ca_), absl::Seconds(20))
          .ok());
  const TestCa other;
  EXPECT_FALSE(
      transport_.Probe(address(), IdentityOf(other, ca_), absl::Seconds(20))
          .ok());
}

// Something else on the agents' port: it has the right certificate, but is
// a web server, or can do no better than TLS 1.2.
class WebServer {
 public:
  WebServer(const TestCa::Issued& leaf, int newest_tls)
      : server_([&](SSL_CTX& context) {
          BIO* text = BIO_new_mem_buf(leaf.key_pem.data(), -1);
          EVP_PKEY* key =
              PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr);
          BIO_free(text);
          text = BIO_new_mem_buf(leaf.certificate_pem.data(), -1);
          X509* certificate =
              PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
          BIO_free(text);
          SSL_CTX_use_certificate(&context, certificate);
          SSL_CTX_use_PrivateKey(&context, key);
          SSL_CTX_set_max_proto_version(&context, newest_tls);
          X509_free(certificate);
          EVP_PKEY_free(key);
          return true;
        }),
        port_(server_.bind_to_any_port("127.0.0.1")),
        thread_([this] { server_.listen_after_bind(); }) {}
  ~WebServer() {
    while (!server_.is_running()) std::this_thread::yield();
    server_.stop();
    thread_.join();
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  httplib::SSLServer server_;
  const int port_;
  std::thread thread_;
};

TEST_F(GrpcTransportTest, RefusesTls12) {
  const WebServer old(ca_.Issue("IP:127.0.0.1"), TLS1_2_VERSION);
  EXPECT_THAT(
      Greet(old.address(), IdentityOf(ca_, ca_)),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("protocol version")));
}

TEST_F(GrpcTransportTest, TellsWhenWhatAnswersIsNoCollector) {
  const WebServer web(ca_.Issue("IP:127.0.0.1"), TLS1_3_VERSION);
  EXPECT_THAT(Greet(web.address(), IdentityOf(ca_, ca_)),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("does not speak HTTP/2")));
}

TEST_F(GrpcTransportTest, HintsThatTheCollectorRefusedOurCertificate) {
  Serve();
  const TestCa other;
  EXPECT_THAT(Greet(address(), IdentityOf(other, ca_)),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("may not accept this endpoint's")));
}

TEST_F(GrpcTransportTest, WritesMoreThanFlowControlTakesAtOnce) {
  Serve();
  const std::unique_ptr<Stream> stream =
      transport_.Open(address(), IdentityOf(ca_, ca_));
  v1::AgentMessage message;
  message.mutable_hello();
  ASSERT_TRUE(stream->Write(message));
  constexpr uint64_t kBatches = 200;
  uint64_t last = 0;
  std::thread reader([&] {
    v1::CollectorMessage answer;
    while (last < kBatches && stream->Read(answer)) {
      last = answer.ack().sequence();
    }
  });
  message.mutable_batch()->set_run_id(std::string(100000, 'x'));
  for (uint64_t i = 1; i <= kBatches; ++i) {
    message.mutable_batch()->set_sequence(i);
    ASSERT_TRUE(stream->Write(message));
  }
  reader.join();
  EXPECT_EQ(last, kBatches);
  stream->Cancel();
}

TEST_F(GrpcTransportTest, NoticesThatTheCollectorIsGone) {
  Serve();
  const std::unique_ptr<Stream> stream =
      transport_.Open(address(), IdentityOf(ca_, ca_));
  v1::AgentMessage message;
  message.mutable_hello();
  ASSERT_TRUE(stream->Write(message));
  v1::CollectorMessage answer;
  ASSERT_TRUE(stream->Read(answer));
  server_->Shutdown(std::chrono::system_clock::now());
  EXPECT_FALSE(stream->Read(answer));
  EXPECT_FALSE(stream->Finish().ok());
}

TEST_F(GrpcTransportTest, CancelEndsAReadThatWaits) {
  Serve();
  const std::unique_ptr<Stream> stream =
      transport_.Open(address(), IdentityOf(ca_, ca_));
  v1::AgentMessage message;
  message.mutable_hello();
  ASSERT_TRUE(stream->Write(message));
  v1::CollectorMessage answer;
  ASSERT_TRUE(stream->Read(answer));
  stream->Cancel();
  EXPECT_FALSE(stream->Read(answer));
  EXPECT_THAT(stream->Finish(), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace forewarn::agent
