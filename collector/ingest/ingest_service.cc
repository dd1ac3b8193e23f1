#include "collector/ingest/ingest_service.h"

#include <chrono>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "grpcpp/security/server_credentials.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::ingest {
namespace {

using base::Log;
using base::LogLevel;

constexpr size_t kGrpcMemory = size_t{1} << 30;

detect::EndpointProfile ProfileOf(const v1::Endpoint& endpoint) {
  detect::EndpointProfile profile;
  profile.id = endpoint.id();
  profile.host_name = endpoint.facts().host_name();
  profile.endpoint_class = endpoint.facts().endpoint_class();
  if (profile.endpoint_class == v1::ENDPOINT_CLASS_UNSPECIFIED) {
    profile.endpoint_class = v1::ENDPOINT_CLASS_SERVER;
  }
  profile.site = endpoint.facts().site();
  profile.tags.assign(endpoint.facts().tags().begin(),
                      endpoint.facts().tags().end());
  return profile;
}

}  // namespace

shard::Shard& StreamHost::ShardOf(const std::string& endpoint_id) {
  return *shards_[absl::Hash<std::string>()(endpoint_id) % shards_.size()];
}

void StreamHost::Post(const std::string& endpoint_id, shard::Message message) {
  ShardOf(endpoint_id).Post(std::move(message));
}

absl::Status StreamHost::Admit() {
  if (++open_ <= options_.streams) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("all ", options_.streams, " stream slots are taken"));
}

absl::Status StreamHost::Greet(StreamReactor& reactor, const v1::Hello& hello,
                               std::shared_ptr<shard::StreamLink> link) {
  const std::string& id = reactor.endpoint_id();
  FOREWARN_RETURN_IF_ERROR(registry_.Connected(id, hello.facts(),
                                               hello.agent_version(),
                                               hello.boot_id(), clock_.Now()));
  const std::optional<v1::Endpoint> endpoint = registry_.Find(id);
  if (!endpoint.has_value()) {
    return absl::NotFoundError(absl::StrCat("endpoint ", id));
  }
  StreamReactor* older = nullptr;
  {
    base::MutexLock lock(&mutex_);
    StreamReactor*& slot = live_[id];
    older = std::exchange(slot, &reactor);
    // Under the lock: the older one cannot be deleted before Ended.
    if (older != nullptr) {
      older->Cut(absl::AbortedError(
          "a newer stream of this endpoint came; is the machine a clone?"));
    }
  }
  metrics_.streams_open.Increment();
  Post(id, shard::StreamOpened{reactor.stream(), endpoint->number(),
                               ProfileOf(*endpoint), std::move(link)});
  Log(LogLevel::kInfo, "stream opened",
      {{"endpoint", id},
       {"host", endpoint->facts().host_name()},
       {"agent", hello.agent_version()}});
  return absl::OkStatus();
}

void StreamHost::Ended(StreamReactor& reactor, bool greeted) {
  --open_;
  if (!greeted) return;
  {
    base::MutexLock lock(&mutex_);
    const auto it = live_.find(reactor.endpoint_id());
    if (it != live_.end() && it->second == &reactor) live_.erase(it);
  }
  metrics_.streams_open.Decrement();
  Post(reactor.endpoint_id(), shard::StreamClosed{reactor.stream()});
}

void StreamHost::Cut(const std::string& endpoint_id,
                     const absl::Status& status) {
  base::MutexLock lock(&mutex_);
  if (const auto it = live_.find(endpoint_id); it != live_.end()) {
    it->second->Cut(status);
  }
}

void StreamHost::CutAll(const absl::Status& status) {
  base::MutexLock lock(&mutex_);
  for (const auto& [id, reactor] : live_) reactor->Cut(status);
}

void StreamHost::NoteRefused(const std::string& endpoint_id,
                             const absl::Status& status) {
  metrics_.StreamsRefused(absl::StatusCodeToString(status.code())).Increment();
  Log(LogLevel::kWarning, "stream refused",
      {{"endpoint", endpoint_id}, {"reason", base::ToLine(status)}});
}

void StreamHost::NoteBatch(const v1::Batch& coded,
                           const shard::BatchArrived& arrived) {
  size_t samples = 0;
  for (const wire::Tick& tick : arrived.batch.ticks) {
    samples += tick.samples.size();
  }
  metrics_.batches.Increment();
  metrics_.samples.Increment(static_cast<double>(samples));
  metrics_.batch_bytes.Increment(static_cast<double>(coded.ByteSizeLong()));
  for (const wire::DroppedSample& sample : arrived.dropped) {
    metrics_.Rejected(absl::StartsWith(sample.reason, "time") ? "time" : "nan")
        .Increment();
  }
}

IngestService::IngestService(StreamHost& host,
                             const identity::CertificateAuthority& ca,
                             fleet::EndpointRegistry& registry)
    : host_(host), ca_(ca), registry_(registry) {}

IngestService::~IngestService() { Stop(); }

absl::Status IngestService::Start() {
  const IngestOptions& options = host_.options();
  // Watched, so that a renewed server certificate is used without restart.
  auto provider =
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          options.key_path, options.certificate_path,
          options.certificate_path, /*refresh_interval_sec=*/60);
  grpc::experimental::TlsServerCredentialsOptions tls(provider);
  tls.watch_root_certs();
  tls.watch_identity_key_cert_pairs();
  tls.set_root_cert_name("");
  tls.set_identity_cert_name("");
  tls.set_cert_request_type(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);

  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.address,
                           grpc::experimental::TlsServerCredentials(tls),
                           &port_);
  builder.RegisterService(this);
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.batch_bytes));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 4);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 << 10);
  // A dead peer is noticed within 45 s.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 15000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000);
  grpc::ResourceQuota quota("ingest");
  quota.Resize(kGrpcMemory);
  builder.SetResourceQuota(quota);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port_ == 0) {
    return absl::UnavailableError(
        absl::StrCat("listen for agents on ", options.address,
                     ": the address is taken or not ours"));
  }
  return absl::OkStatus();
}

void IngestService::Stop() {
  if (server_ == nullptr) return;
  host_.CutAll(absl::UnavailableError("the collector is going down"));
  server_->Shutdown(std::chrono::system_clock::now() +
                    std::chrono::seconds(2));
  server_->Wait();
  server_.reset();
}

absl::StatusOr<std::string> IngestService::Authenticate(
    const grpc::CallbackServerContext& context) {
  const std::vector<grpc::string_ref> certificates =
      context.auth_context()->FindPropertyValues("x509_pem_cert");
  if (certificates.size() != 1) {
    return absl::UnauthenticatedError("no client certificate");
  }
  FOREWARN_ASSIGN_OR_RETURN(
      const identity::EndpointIdentity peer,
      ca_.VerifyPeer(absl::string_view(certificates[0].data(),
                                       certificates[0].size())));
  const std::optional<v1::Endpoint> endpoint =
      registry_.Find(peer.endpoint_id);
  if (!endpoint.has_value() || endpoint->id() != peer.endpoint_id) {
    return absl::UnauthenticatedError(
        absl::StrCat("endpoint ", peer.endpoint_id, " is not enrolled here"));
  }
  if (endpoint->has_revoked_at()) {
    return absl::PermissionDeniedError(
        absl::StrCat("endpoint ", peer.endpoint_id, " was revoked"));
  }
  return peer.endpoint_id;
}

grpc::ServerBidiReactor<v1::AgentMessage, v1::CollectorMessage>*
IngestService::Report(grpc::CallbackServerContext* context) {
  const absl::StatusOr<std::string> id = Authenticate(*context);
  absl::Status refused = id.status();
  refused.Update(host_.Admit());
  return new StreamReactor(host_, next_stream_++,
                           id.ok() ? *id : context->peer(), refused);
}

}  // namespace forewarn::ingest
