#include "collector/main/collector.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "collector/api/api_routes.h"
#include "collector/api/https_server.h"
#include "collector/correlate/correlator.h"
#include "collector/desk/ticket_desk.h"
#include "collector/detect/peer_board.h"
#include "collector/detect/rule_set.h"
#include "collector/fleet/endpoint_registry.h"
#include "collector/history/rocks_store.h"
#include "collector/identity/access_tokens.h"
#include "collector/identity/certificate_authority.h"
#include "collector/ingest/ingest_service.h"
#include "collector/main/doctor.h"
#include "collector/main/state_folder.h"
#include "collector/metrics/self_metrics.h"
#include "collector/notify/channel_table.h"
#include "collector/notify/dispatcher.h"
#include "collector/shard/shard.h"
#include "collector/store/sqlite_database.h"
#include "collector/store/sqlite_desk_store.h"
#include "collector/store/sqlite_endpoint_store.h"
#include "collector/store/sqlite_token_store.h"
#include "collector/words/words.h"
#include "google/protobuf/util/time_util.h"
#include "nghttp2/nghttp2ver.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::main {
namespace {

using base::Log;
using base::LogLevel;

constexpr absl::Duration kHousekeeping = absl::Minutes(1);
constexpr absl::Duration kRegistryFlush = absl::Seconds(5);

template <typename T>
T Or(T configured, T fallback) {
  return configured == T{} ? fallback : configured;
}

history::RocksOptions HistoryOptions(const Settings& settings) {
  const v1::HistoryConfig& config = settings.config.history();
  history::RocksOptions options;
  options.directory = settings.history_directory();
  options.raw_retention =
      DurationOr(config.raw_retention(), options.raw_retention);
  options.cache_bytes = Or(config.cache().bytes(), options.cache_bytes);
  options.five_minute_retention = DurationOr(
      config.five_minute_retention(), options.five_minute_retention);
  options.hour_retention =
      DurationOr(config.hour_retention(), options.hour_retention);
  options.max_bytes = config.max_size().bytes();
  return options;
}

correlate::CorrelatorOptions CorrelationOptions(const Settings& settings) {
  const v1::CorrelationConfig& config = settings.config.correlation();
  correlate::CorrelatorOptions options;
  options.fold_window = DurationOr(config.fold_window(), options.fold_window);
  options.reopen_window =
      DurationOr(config.reopen_window(), options.reopen_window);
  options.quiet = DurationOr(config.quiet(), options.quiet);
  return options;
}

shard::Shard::Options ShardOptions(const Settings& settings, int index,
                                   detect::PeerBoard& peers) {
  const v1::LimitsConfig& limits = settings.config.limits();
  const v1::SilenceConfig& silence = settings.config.silence();
  shard::Shard::Options options;
  options.index = index;
  options.endpoint.peers = &peers;
  options.mailbox = Or<size_t>(limits.mailbox_batches(), options.mailbox);
  options.commit = settings.commit;
  options.gather = std::min(options.gather, options.commit);
  shard::EndpointState::Options& endpoint = options.endpoint;
  endpoint.series_limit =
      Or(limits.series_per_endpoint(), endpoint.series_limit);
  endpoint.warm_up =
      DurationOr(settings.config.history().warm_up(), endpoint.warm_up);
  endpoint.silence.lost_after =
      DurationOr(silence.lost_after(), endpoint.silence.lost_after);
  endpoint.silence.stopped_after =
      DurationOr(silence.stopped_after(), endpoint.silence.stopped_after);
  return options;
}

absl::StatusOr<detect::RuleSet> LoadRules(const Settings& settings) {
  const v1::RulesConfig& config = settings.config.rules();
  const std::vector<v1::RuleOverride> overrides(config.overrides().begin(),
                                                config.overrides().end());
  detect::RuleSet rules;
  const std::vector<std::string> errors =
      detect::RuleSet::Load(config.directory(), overrides, rules);
  if (!errors.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
  }
  return rules;
}

// Titles and explanations of rules become words of the desk.
void TeachRules(const detect::RuleSet& rules, words::Words& words) {
  for (const v1::Rule& rule : rules.rules()) {
    words.Add(absl::StrCat("rule.", rule.id(), ".title"), rule.title());
    words.Add(absl::StrCat("rule.", rule.id(), ".explanation"),
              rule.explanation());
  }
}

}  // namespace

// Members stand in the order of the data and are destroyed in reverse.
class Collector::Rooms {
 public:
  Rooms(const Settings& settings, base::Clock& clock, StateFolder folder,
        std::unique_ptr<identity::CertificateAuthority> authority,
        std::unique_ptr<store::SqliteDatabase> database,
        std::unique_ptr<history::RocksStore> history, detect::RuleSet rules)
      : settings_(settings),
        clock_(clock),
        folder_(std::move(folder)),
        authority_(std::move(authority)),
        database_(std::move(database)),
        history_(std::move(history)),
        rules_(std::move(rules)),
        metrics_(FOREWARN_VERSION),
        desk_store_(*database_),
        endpoint_store_(*database_),
        token_store_(*database_),
        registry_(endpoint_store_),
        desk_(desk_store_, notify::OutboxChannels(settings.config.notify()),
              clock),
        correlator_(CorrelationOptions(settings), desk_store_, desk_,
                    {desk_store_, desk_, registry_.cohorts(), desk_}, clock) {
    TeachRules(rules_, words_);
  }

  ~Rooms() { Stop(); }

  absl::Status Start() {
    FOREWARN_RETURN_IF_ERROR(registry_.Load());
    FOREWARN_RETURN_IF_ERROR(correlator_.Start());
    StartShards();
    FOREWARN_RETURN_IF_ERROR(StartNotify());
    FOREWARN_ASSIGN_OR_RETURN(
        server_files_,
        authority_->EnsureServerCertificate(settings_.certificate_names));
    FOREWARN_RETURN_IF_ERROR(StartIngest());
    FOREWARN_RETURN_IF_ERROR(StartApi());
    housekeeping_ = std::thread([this] { KeepHouse(); });
    ready_ = true;
    return absl::OkStatus();
  }

  void Stop() {
    ready_ = false;
    if (housekeeping_.joinable()) {
      stopping_ = true;
      alarm_.Wake();
      housekeeping_.join();
    }
    if (https_ != nullptr) https_->Stop();
    if (ingest_ != nullptr) ingest_->Stop();
    for (const auto& shard : shards_) shard->Stop();
    correlator_.Stop();
    if (dispatcher_ != nullptr) dispatcher_->Stop();
    LogIfBad(registry_.FlushAll(), "registry could not be saved");
  }

  int https_port() const { return https_->port(); }
  int agents_port() const { return ingest_->port(); }

 private:
  void StartShards() {
    for (int i = 0; i < settings_.shards; ++i) {
      shards_.push_back(std::make_unique<shard::Shard>(
          ShardOptions(settings_, i, peers_), rules_, *history_, registry_, correlator_,
          metrics_, clock_));
    }
    host_ = std::make_unique<ingest::StreamHost>(
        StreamOptions(), ShardPointers(), registry_, metrics_, clock_);
    for (const auto& shard : shards_) shard->Start();
    for (const v1::Endpoint& endpoint : registry_.List()) {
      const auto& seen = endpoint.last_seen_at();
      host_->Post(
          endpoint.id(),
          shard::EndpointKnown{endpoint.number(), detect::ProfileOf(endpoint),
                               endpoint.presence(),
                               absl::FromUnixSeconds(seen.seconds())});
    }
  }

  std::vector<shard::Shard*> ShardPointers() const {
    std::vector<shard::Shard*> pointers;
    for (const auto& shard : shards_) pointers.push_back(shard.get());
    return pointers;
  }

  ingest::IngestOptions StreamOptions() const {
    const v1::LimitsConfig& limits = settings_.config.limits();
    ingest::IngestOptions options;
    options.address = settings_.agents_address;
    options.port = settings_.agents_port;
    // Half of the cores for the port, half for the shards.
    options.threads = settings_.shards;
    options.ca_path = settings_.ca_directory() + "/ca.pem";
    options.certificate_path = settings_.ca_directory() + "/server.pem";
    options.key_path = settings_.ca_directory() + "/server-key.pem";
    options.version = FOREWARN_VERSION;
    options.tick = settings_.tick;
    options.batch_bytes =
        Or<size_t>(limits.batch().bytes(), options.batch_bytes);
    options.streams = Or(limits.streams(), options.streams);
    options.samples_per_second =
        Or(limits.samples_per_second(), options.samples_per_second);
    options.limits.series =
        Or(limits.series_per_endpoint(), options.limits.series);
    options.limits.samples =
        Or(limits.samples_per_batch(), options.limits.samples);
    return options;
  }

  absl::Status StartNotify() {
    FOREWARN_ASSIGN_OR_RETURN(
        std::vector<std::unique_ptr<notify::Channel>> channels,
        notify::MakeChannels(settings_.config.notify(), clock_));
    dispatcher_ = std::make_unique<notify::Dispatcher>(
        notify::OptionsOf(settings_.config.notify()), std::move(channels),
        desk_store_, [this](uint32_t ticket) { return desk_.Find(ticket); },
        words_, metrics_, clock_);
    dispatcher_->Start();
    return absl::OkStatus();
  }

  absl::Status StartIngest() {
    ingest_ =
        std::make_unique<ingest::IngestService>(*host_, *authority_, registry_);
    return ingest_->Start();
  }

  absl::Status StartApi() {
    std::vector<std::string> urls;
    for (const std::string& name : settings_.public_names) {
      urls.push_back(
          absl::StrCat("https://", Bracketed(name), ":", settings_.https_port));
    }
    api::HttpsServerOptions options;
    options.address = settings_.https_address;
    options.port = static_cast<uint16_t>(settings_.https_port);
    options.certificate_path = server_files_.certificate_path;
    options.key_path = server_files_.key_path;
    tokens_ = std::make_unique<identity::AccessTokens>(
        token_store_, clock_, authority_->pin(), std::move(urls));
    services_.reset(new api::ApiServices{
        .desk = desk_,
        .endpoints = registry_,
        .history = *history_,
        .tokens = *tokens_,
        .authority = *authority_,
        .rules = rules_,
        .words = words_,
        .clock = clock_,
        .audit =
            [this](const api::AuditEntry& entry) {
              return token_store_.AppendAudit(entry.actor, entry.verb,
                                              entry.object, entry.detail,
                                              clock_.Now());
            },
        .observe =
            [this](absl::string_view route, int status, absl::Duration took) {
              metrics_.HttpRequests(route, status).Increment();
              metrics_.HttpSeconds(route).Observe(absl::ToDoubleSeconds(took));
            },
        .metrics = [this] { return metrics_.Exposition(); },
        .ready = [this]() -> absl::Status {
          return ready_ ? absl::OkStatus()
                        : absl::UnavailableError("starting or going down");
        },
        .doctor =
            [this] {
              return Examine(settings_, *history_, desk_store_, registry_,
                             clock_);
            },
        .stream_addresses =
            [this] {
              std::vector<std::string> addresses;
              for (const std::string& name : settings_.public_names) {
                addresses.push_back(
                    absl::StrCat(Bracketed(name), ":", ingest_->port()));
              }
              return addresses;
            },
        .version = Version()});
    router_ = api::MakeApi(*services_);
    FOREWARN_ASSIGN_OR_RETURN(
        https_, api::HttpsServer::Start(
                    options, [this](const api::HttpRequest& request) {
                      return router_->Handle(request);
                    }));
    return absl::OkStatus();
  }

  static std::string Bracketed(const std::string& name) {
    return name.find(':') == std::string::npos ? name
                                               : absl::StrCat("[", name, "]");
  }

  static v1::VersionInfo Version() {
    v1::VersionInfo version;
    version.set_version(FOREWARN_VERSION);
    version.set_http2(NGHTTP2_VERSION);
    version.set_sqlite(store::SqliteDatabase::LibraryVersion());
    version.set_compiler(__VERSION__);
    return version;
  }

  // Every few seconds what the registry keeps in memory; once a minute the
  // history's log and retention, and the server certificate's half life.
  void KeepHouse() {
    absl::Duration due = clock_.SinceBoot() + kHousekeeping;
    while (!alarm_.WaitFor(kRegistryFlush) && !stopping_) {
      LogIfBad(registry_.Flush(), "registry could not be saved");
      if (clock_.SinceBoot() < due) continue;
      due = clock_.SinceBoot() + kHousekeeping;
      LogIfBad(registry_.FlushAll(), "registry could not be saved");
      LogIfBad(history_->Maintain(clock_.Now()), "history maintenance failed");
      LogIfBad(authority_->EnsureServerCertificate(settings_.certificate_names)
                   .status(),
               "server certificate could not be renewed");
    }
  }

  static void LogIfBad(const absl::Status& status, absl::string_view what) {
    if (!status.ok()) {
      Log(LogLevel::kError, what, {{"reason", base::ToLine(status)}});
    }
  }

  const Settings settings_;
  base::Clock& clock_;
  const StateFolder folder_;
  const std::unique_ptr<identity::CertificateAuthority> authority_;
  const std::unique_ptr<store::SqliteDatabase> database_;
  const std::unique_ptr<history::RocksStore> history_;
  const detect::RuleSet rules_;
  words::Words words_;
  metrics::SelfMetrics metrics_;
  store::SqliteDeskStore desk_store_;
  store::SqliteEndpointStore endpoint_store_;
  store::SqliteTokenStore token_store_;
  fleet::EndpointRegistry registry_;
  desk::TicketDesk desk_;
  correlate::Correlator correlator_;
  detect::PeerBoard peers_;
  std::vector<std::unique_ptr<shard::Shard>> shards_;
  std::unique_ptr<ingest::StreamHost> host_;
  std::unique_ptr<notify::Dispatcher> dispatcher_;
  identity::CertificateAuthority::ServerFiles server_files_;
  std::unique_ptr<ingest::IngestService> ingest_;
  std::unique_ptr<identity::AccessTokens> tokens_;
  std::unique_ptr<api::ApiServices> services_;
  std::unique_ptr<api::Router> router_;
  std::unique_ptr<api::HttpsServer> https_;
  std::thread housekeeping_;
  base::Alarm alarm_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> ready_ = false;
};

absl::StatusOr<std::unique_ptr<Collector>> Collector::Start(
    const Settings& settings, base::Clock& clock) {
  FOREWARN_ASSIGN_OR_RETURN(detect::RuleSet rules, LoadRules(settings));
  FOREWARN_ASSIGN_OR_RETURN(StateFolder folder,
                            StateFolder::Lock(settings.state_directory));
  FOREWARN_ASSIGN_OR_RETURN(auto authority,
                            identity::CertificateAuthority::OpenOrCreate(
                                settings.ca_directory(), clock));
  FOREWARN_ASSIGN_OR_RETURN(
      auto database, store::SqliteDatabase::Open(settings.database_path()));
  FOREWARN_ASSIGN_OR_RETURN(
      auto history, history::RocksStore::Open(HistoryOptions(settings)));
  auto rooms = std::make_unique<Rooms>(
      settings, clock, std::move(folder), std::move(authority),
      std::move(database), std::move(history), std::move(rules));
  FOREWARN_RETURN_IF_ERROR(rooms->Start());
  return std::unique_ptr<Collector>(new Collector(std::move(rooms)));
}

Collector::Collector(std::unique_ptr<Rooms> rooms) : rooms_(std::move(rooms)) {}
Collector::~Collector() = default;
int Collector::https_port() const { return rooms_->https_port(); }
int Collector::agents_port() const { return rooms_->agents_port(); }

}  // namespace forewarn::main
