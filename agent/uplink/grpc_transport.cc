#include "agent/uplink/grpc_transport.h"

#include <stdlib.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "forewarn/v1/telemetry.grpc.pb.h"
#include "grpcpp/grpcpp.h"

namespace forewarn::agent {
namespace {

constexpr int kConnectMs = 10000;
// 20 s without traffic, then 20 s for the answer to a ping.
constexpr int kKeepaliveMs = 20000;
constexpr int kMaxAnswer = 1 << 20;
constexpr size_t kMaxReason = 400;

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& collector,
                                           const Identity& identity) {
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = identity.ca_pem;
  tls.pem_private_key = identity.key_pem;
  tls.pem_cert_chain = identity.certificate_pem;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Waiting between tries is Backoff's business; this bounds one try.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);
  // A renewed certificate must not meet a connection made with the old one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, kMaxAnswer);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  return grpc::CreateCustomChannel(collector, grpc::SslCredentials(tls),
                                   arguments);
}

std::chrono::system_clock::time_point After(absl::Duration wait) {
  return std::chrono::system_clock::now() + absl::ToChronoMicroseconds(wait);
}

class GrpcStream final : public Stream {
 public:
  explicit GrpcStream(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::Telemetry::NewStub(std::move(channel))) {
    // So that the call is not made, and does not block, before the first
    // Write.
    context_.set_initial_metadata_corked(true);
    call_ = stub_->Report(&context_);
  }

  bool Write(const v1::AgentMessage& message) override {
    return call_->Write(message);
  }
  bool Read(v1::CollectorMessage& message) override {
    return call_->Read(&message);
  }
  void HalfClose() override { call_->WritesDone(); }
  void Cancel() override { context_.TryCancel(); }
  absl::Status Finish() override {
    const grpc::Status status = call_->Finish();
    if (status.ok()) return absl::OkStatus();
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                        status.error_message().substr(0, kMaxReason));
  }

 private:
  const std::unique_ptr<v1::Telemetry::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<
      grpc::ClientReaderWriter<v1::AgentMessage, v1::CollectorMessage>>
      call_;
};

}  // namespace

void GrpcTransport::AllowOnlyTls13() {
  setenv("GRPC_SSL_CIPHER_SUITES", "ECDHE-RSA-AES256-GCM-SHA384", 1);
}

std::unique_ptr<Stream> GrpcTransport::Open(const std::string& collector,
                                            const Identity& identity) {
  return std::make_unique<GrpcStream>(MakeChannel(collector, identity));
}

absl::Status GrpcTransport::Probe(const std::string& collector,
                                  const Identity& identity,
                                  absl::Duration timeout) {
  const std::shared_ptr<grpc::Channel> channel =
      MakeChannel(collector, identity);
  const auto deadline = After(timeout);
  grpc_connectivity_state state = channel->GetState(/*try_to_connect=*/true);
  while (state != GRPC_CHANNEL_READY) {
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) {
      return absl::UnavailableError(
          absl::StrCat("connect to ", collector,
                       ": nobody answers there, or the handshake failed"));
    }
    if (!channel->WaitForStateChange(state, deadline)) {
      return absl::UnavailableError(
          absl::StrCat("connect to ", collector, ": no answer within ",
                       absl::FormatDuration(timeout)));
    }
    state = channel->GetState(true);
  }
  // In TLS 1.3 a refused client certificate shows only after the handshake.
  constexpr absl::Duration kSecondThought = absl::Milliseconds(500);
  if (channel->WaitForStateChange(state, After(kSecondThought))) {
    return absl::PermissionDeniedError(
        absl::StrCat("connect to ", collector,
                     ": it closed the connection after the handshake; it may "
                     "not accept this endpoint's certificate"));
  }
  return absl::OkStatus();
}

}  // namespace forewarn::agent
