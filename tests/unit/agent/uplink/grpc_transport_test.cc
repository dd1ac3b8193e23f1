#include "agent/uplink/grpc_transport.h"

#include <openssl/ssl.h>

#include <memory>
#include <string>

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
  static void SetUpTestSuite() { GrpcTransport::AllowOnlyTls13(); }

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

// Whether a client with a good certificate gets through with this version at
// most. The setting governs both ends; of them a client that can do no better
// is the easier to make.
bool HandshakeSucceeds(const std::string& where, const Identity& identity,
                       int version) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_max_proto_version(context, version);
  const unsigned char http2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context, http2, sizeof(http2));
  BIO* text = BIO_new_mem_buf(identity.certificate_pem.data(), -1);
  X509* certificate = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
  BIO_free(text);
  text = BIO_new_mem_buf(identity.key_pem.data(), -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr);
  BIO_free(text);
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  BIO* connection = BIO_new_ssl_connect(context);
  BIO_set_conn_hostname(connection, where.c_str());
  const bool succeeds = BIO_do_connect(connection) > 0;
  BIO_free_all(connection);
  X509_free(certificate);
  EVP_PKEY_free(key);
  SSL_CTX_free(context);
  return succeeds;
}

TEST_F(GrpcTransportTest, SpeaksTls13Only) {
  Serve();
  const Identity identity = IdentityOf(ca_, ca_);
  EXPECT_FALSE(HandshakeSucceeds(address(), identity, TLS1_2_VERSION));
  EXPECT_TRUE(HandshakeSucceeds(address(), identity, TLS1_3_VERSION));
  FOREWARN_EXPECT_OK(Greet(address(), identity));
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
