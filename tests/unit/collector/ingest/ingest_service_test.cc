#include "collector/ingest/ingest_service.h"

#include <openssl/ssl.h>

#include <csignal>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "collector/history/rocks_store.h"
#include "forewarn/v1/telemetry.grpc.pb.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "tests/support/endpoint_credentials.h"
#include "tests/support/memory_endpoint_store.h"
#include "tests/support/recording_symptoms.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/wait_until.h"

namespace forewarn::ingest {
namespace {

using ::forewarn::testing::EndpointCredentials;
using ::forewarn::testing::IsOk;
using ::forewarn::testing::MakeCredentials;
using ::forewarn::testing::WaitUntil;
using ::testing::HasSubstr;

constexpr char kId[] = "0b5f6a3e-0000-4000-8000-000000000001";
constexpr char kNeighbour[] = "0b5f6a3e-0000-4000-8000-000000000002";
const std::string kRun(16, 'r');

class IngestServiceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { signal(SIGPIPE, SIG_IGN); }

  void SetUp() override {
    auto authority = identity::CertificateAuthority::OpenOrCreate(
        folder_ / "ca", base::Clock::System());
    ASSERT_THAT(authority, IsOk());
    authority_ = *std::move(authority);
    FOREWARN_ASSERT_OK(authority_->EnsureServerCertificate({"127.0.0.1"}));
    auto store = history::RocksStore::Open({.directory = folder_ / "history"});
    ASSERT_THAT(store, IsOk());
    history_ = *std::move(store);
    for (const char* id : {kId, kNeighbour}) {
      FOREWARN_ASSERT_OK(registry_.Enroll(id, v1::EndpointFacts(), "01",
                                          absl::Now(), absl::Now()));
    }
    shard_ = std::make_unique<shard::Shard>(shard::Shard::Options{}, rules_,
                                            *history_, registry_, symptoms_,
                                            metrics_, base::Clock::System());
    shard_->Start();
    IngestOptions options;
    options.port = 0;
    options.ca_path = folder_ / "ca/ca.pem";
    options.certificate_path = folder_ / "ca/server.pem";
    options.key_path = folder_ / "ca/server-key.pem";
    options.batch_bytes = 64 << 10;
    options.credits = 4;
    options.samples_per_second = 1000;
    host_ = std::make_unique<StreamHost>(
        options, std::vector<shard::Shard*>{shard_.get()}, registry_, metrics_,
        base::Clock::System());
    service_ = std::make_unique<IngestService>(*host_, *authority_, registry_);
    FOREWARN_ASSERT_OK(service_->Start());
  }
  void TearDown() override {
    service_->Stop();
    shard_->Stop();
  }

  // One client stream.
  struct Client {
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<v1::Telemetry::Stub> stub;
    grpc::ClientContext context;
    std::unique_ptr<
        grpc::ClientReaderWriter<v1::AgentMessage, v1::CollectorMessage>>
        stream;

    bool Send(const v1::AgentMessage& message) {
      return stream->Write(message);
    }
    // The next message; empty when the stream has ended.
    v1::CollectorMessage Read() {
      v1::CollectorMessage message;
      if (!stream->Read(&message)) message.Clear();
      return message;
    }
    grpc::Status End() {
      v1::CollectorMessage message;
      while (stream->Read(&message)) {
      }
      return stream->Finish();
    }
  };

  std::unique_ptr<Client> Connect(const EndpointCredentials& credentials) {
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = authority_->ca_pem();
    tls.pem_private_key = credentials.key_pem;
    tls.pem_cert_chain = credentials.certificate_pem;
    auto client = std::make_unique<Client>();
    client->channel =
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", service_->port()),
                            grpc::SslCredentials(tls));
    client->stub = v1::Telemetry::NewStub(client->channel);
    client->context.set_deadline(std::chrono::system_clock::now() +
                                 std::chrono::seconds(20));
    client->stream = client->stub->Report(&client->context);
    return client;
  }
  std::unique_ptr<Client> ConnectAs(const char* id) {
    return Connect(MakeCredentials(*authority_, id));
  }
  std::unique_ptr<Client> Greeted(const char* id) {
    auto client = ConnectAs(id);
    EXPECT_TRUE(client->Send(Hello()));
    EXPECT_TRUE(client->Read().has_welcome());
    return client;
  }

  static v1::AgentMessage Hello() {
    v1::AgentMessage message;
    message.mutable_hello()->set_protocol(StreamHost::kProtocol);
    message.mutable_hello()->set_run_id(kRun);
    message.mutable_hello()->mutable_facts()->set_host_name("alpha");
    return message;
  }

  // As the first of a stream.
  v1::AgentMessage Batch(uint64_t sequence, bool define) {
    wire::SeriesDictionary dictionary;
    wire::BatchEncoder encoder(&dictionary);
    v1::AgentMessage message = Batch(sequence, 1, dictionary, encoder);
    if (!define) message.mutable_batch()->clear_definitions();
    return message;
  }
  v1::AgentMessage Batch(uint64_t sequence, int ticks,
                         wire::SeriesDictionary& dictionary,
                         wire::BatchEncoder& encoder) {
    dictionary.Intern({.metric = "forewarn.memory.used",
                       .unit = "1",
                       .kind = wire::MetricKind::kGauge,
                       .digits = 4,
                       .attributes = {}});
    wire::Batch batch;
    batch.sequence = sequence;
    std::copy(kRun.begin(), kRun.end(), batch.run_id.begin());
    const absl::Time begin = absl::Now() + absl::Seconds(10 * sequence);
    for (int i = 0; i < ticks; ++i) {
      batch.ticks.push_back({begin + absl::Milliseconds(i), {{0, 0.5}}});
    }
    v1::AgentMessage message;
    wire::RunId run;
    std::copy(kRun.begin(), kRun.end(), run.begin());
    encoder.Encode(batch, run, *message.mutable_batch());
    return message;
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<identity::CertificateAuthority> authority_;
  std::unique_ptr<history::RocksStore> history_;
  detect::RuleSet rules_;
  testing::MemoryEndpointStore endpoints_;
  fleet::EndpointRegistry registry_{endpoints_};
  testing::RecordingSymptoms symptoms_;
  metrics::SelfMetrics metrics_{"test"};
  std::unique_ptr<shard::Shard> shard_;
  std::unique_ptr<StreamHost> host_;
  std::unique_ptr<IngestService> service_;
};

TEST_F(IngestServiceTest, ABatchIsAcknowledgedOnceDurable) {
  auto client = Greeted(kId);
  ASSERT_TRUE(client->Send(Batch(1, true)));
  const v1::CollectorMessage answer = client->Read();
  ASSERT_TRUE(answer.has_ack());
  EXPECT_EQ(answer.ack().sequence(), 1u);
  EXPECT_EQ(answer.ack().run_id(), kRun);
  EXPECT_THAT(history_->Query(1, 0, absl::UnixEpoch(), absl::InfiniteFuture()),
              testing::IsOkAndHolds(::testing::SizeIs(1)));
  client->stream->WritesDone();
  EXPECT_TRUE(client->End().ok());
}

TEST_F(IngestServiceTest, ARepeatedSequenceIsAcknowledgedAgain) {
  auto client = Greeted(kId);
  ASSERT_TRUE(client->Send(Batch(1, true)));
  EXPECT_EQ(client->Read().ack().sequence(), 1u);
  // A batch that differs in its time only, as redelivery never does.
  v1::AgentMessage again = Batch(1, false);
  again.mutable_batch()->mutable_ticks(0)->set_time_ms(10);
  ASSERT_TRUE(client->Send(again));
  EXPECT_EQ(client->Read().ack().sequence(), 1u);
  EXPECT_THAT(history_->Query(1, 0, absl::UnixEpoch(), absl::InfiniteFuture()),
              testing::IsOkAndHolds(::testing::SizeIs(1)));
}

TEST_F(IngestServiceTest, B1NoOrForeignCertificateIsRefusedInTheHandshake) {
  auto foreign = identity::CertificateAuthority::OpenOrCreate(
      folder_ / "foreign", base::Clock::System());
  ASSERT_THAT(foreign, IsOk());
  auto stranger = Connect(MakeCredentials(**foreign, kId));
  EXPECT_EQ(stranger->End().error_code(), grpc::StatusCode::UNAVAILABLE);
  auto nobody = Connect({});
  EXPECT_EQ(nobody->End().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(IngestServiceTest, Tls12IsRefused) {
  const EndpointCredentials credentials = MakeCredentials(*authority_, kId);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, version);
    const unsigned char alpn[] = {2, 'h', '2'};
    SSL_CTX_set_alpn_protos(context, alpn, sizeof alpn);
    BIO* key = BIO_new_mem_buf(credentials.key_pem.data(), -1);
    BIO* certificate = BIO_new_mem_buf(credentials.certificate_pem.data(), -1);
    EVP_PKEY* parsed_key =
        PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
    X509* parsed = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context, parsed);
    SSL_CTX_use_PrivateKey(context, parsed_key);
    BIO* connection = BIO_new_ssl_connect(context);
    BIO_set_conn_hostname(connection,
                          absl::StrCat("127.0.0.1:", service_->port()).c_str());
    EXPECT_EQ(BIO_do_connect(connection) == 1, version == TLS1_3_VERSION);
    BIO_free_all(connection);
    SSL_CTX_free(context);
    EVP_PKEY_free(parsed_key);
    X509_free(parsed);
    BIO_free(key);
    BIO_free(certificate);
  }
}

TEST_F(IngestServiceTest, AnEndpointThatIsNotEnrolledOrWasRevokedIsRefused) {
  auto unknown = ConnectAs("0b5f6a3e-0000-4000-8000-00000000ffff");
  EXPECT_EQ(unknown->End().error_code(), grpc::StatusCode::UNAUTHENTICATED);
  FOREWARN_ASSERT_OK(registry_.Revoke(kId, absl::Now()));
  auto revoked = ConnectAs(kId);
  EXPECT_EQ(revoked->End().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(IngestServiceTest, B4TheFirstMessageMustBeHello) {
  auto client = ConnectAs(kId);
  client->Send(Batch(1, true));
  const grpc::Status status = client->End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("Hello"));
}

TEST_F(IngestServiceTest, B4AnotherProtocolIsNamed) {
  auto client = ConnectAs(kId);
  v1::AgentMessage hello = Hello();
  hello.mutable_hello()->set_protocol(99);
  client->Send(hello);
  const grpc::Status status = client->End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("sent 99"));
}

TEST_F(IngestServiceTest, ABadStreamEndsAloneAndTheNeighbourGoesOn) {
  auto neighbour = Greeted(kNeighbour);
  auto malformed = Greeted(kId);
  v1::AgentMessage bad = Batch(1, true);
  bad.mutable_batch()->mutable_ticks(0)->set_values("\xff\xff");
  malformed->Send(bad);
  EXPECT_EQ(malformed->End().error_code(), grpc::StatusCode::DATA_LOSS);

  auto oversize = Greeted(kId);
  v1::AgentMessage big = Batch(1, true);
  big.mutable_batch()->add_events()->set_message(std::string(70 << 10, 'x'));
  oversize->Send(big);
  EXPECT_EQ(oversize->End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);

  auto twice = Greeted(kId);
  twice->Send(Hello());
  EXPECT_EQ(twice->End().error_code(), grpc::StatusCode::INVALID_ARGUMENT);

  ASSERT_TRUE(neighbour->Send(Batch(1, true)));
  EXPECT_EQ(neighbour->Read().ack().sequence(), 1u);
}

TEST_F(IngestServiceTest, SamplesThatAreNotFiniteAreListedInTheAck) {
  auto client = Greeted(kId);
  v1::AgentMessage message = Batch(1, true);
  std::string nan(10, '\xff');  // the escape: 2^64-1, then the double
  nan[9] = '\x01';
  nan += std::string("\0\0\0\0\0\0\xf8\x7f", 8);
  message.mutable_batch()->mutable_ticks(0)->set_values(nan);
  ASSERT_TRUE(client->Send(message));
  const v1::CollectorMessage answer = client->Read();
  ASSERT_EQ(answer.ack().rejections_size(), 1);
  EXPECT_THAT(answer.ack().rejections(0).reason(), HasSubstr("not finite"));
}

TEST_F(IngestServiceTest, WhoIsOverItsQuotaIsReadMoreSlowlyAndLosesNothing) {
  auto client = Greeted(kId);
  auto neighbour = Greeted(kNeighbour);
  constexpr uint64_t kBatches = 6;
  constexpr int kTicks = 2000;
  wire::SeriesDictionary dictionary;
  wire::BatchEncoder encoder(&dictionary);
  // 12,000 samples where 10,000 may come at once and 1,000 a second.
  const absl::Time begin = absl::Now();
  for (uint64_t i = 1; i <= kBatches; ++i) {
    ASSERT_TRUE(client->Send(Batch(i, kTicks, dictionary, encoder)));
  }
  ASSERT_TRUE(neighbour->Send(Batch(1, true)));
  EXPECT_TRUE(neighbour->Read().has_ack());
  uint64_t acked = 0;
  while (acked < kBatches) {
    const v1::CollectorMessage answer = client->Read();
    ASSERT_TRUE(answer.has_ack());
    acked = answer.ack().sequence();
  }
  ASSERT_TRUE(client->Send(Batch(kBatches + 1, 1, dictionary, encoder)));
  EXPECT_TRUE(client->Read().has_ack());
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(900));
  EXPECT_GE(metrics_.quota_pauses.Value(), 1);
  EXPECT_THAT(history_->Query(1, 0, absl::UnixEpoch(), absl::InfiniteFuture()),
              testing::IsOkAndHolds(::testing::SizeIs(kBatches * kTicks + 1)));
}

TEST_F(IngestServiceTest, B16TheNewerOfTwoStreamsWins) {
  auto older = Greeted(kId);
  auto newer = Greeted(kId);
  EXPECT_EQ(older->End().error_code(), grpc::StatusCode::ABORTED);
  ASSERT_TRUE(newer->Send(Batch(1, true)));
  EXPECT_EQ(newer->Read().ack().sequence(), 1u);
}

TEST_F(IngestServiceTest, AStreamThatEndsTakesNoSlot) {
  for (int i = 0; i < 3; ++i) {
    auto client = Greeted(kId);
    client->stream->WritesDone();
    EXPECT_TRUE(client->End().ok());
  }
  EXPECT_TRUE(WaitUntil([&] { return metrics_.streams_open.Value() == 0; }));
}

}  // namespace
}  // namespace forewarn::ingest
