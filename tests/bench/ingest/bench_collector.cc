#include "tests/bench/ingest/bench_collector.h"

#include <signal.h>
#include <time.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "agent/identity/certificate.h"
#include "collector/fleet/endpoint_registry.h"
#include "collector/identity/certificate_authority.h"
#include "collector/store/sqlite_database.h"
#include "collector/store/sqlite_endpoint_store.h"
#include "protos/base/clock.h"
#include "protos/base/status.h"
#include "protos/http/http_exchange.h"
#include "tests/support/free_port.h"

namespace forewarn::bench {
namespace {

std::string Program(const char* name) {
  return absl::StrCat(FOREWARN_BIN_DIR, "/", name);
}

// A figure of a file of /proc such as "VmRSS:  12 kB".
uint64_t Figure(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    absl::string_view rest = line;
    if (!absl::ConsumePrefix(&rest, name + ":")) continue;
    uint64_t value = 0;
    std::istringstream(std::string(rest)) >> value;
    return value;
  }
  return 0;
}

}  // namespace

BenchCollector::BenchCollector(const std::string& config,
                               const std::string& priority)
    : https_port_(testing::FreePort()), agents_port_(testing::FreePort()) {
  folder_.Write("rules/bench.yaml",
                absl::StrCat(R"(rules:
  - id: bench_step
    subsystem: system
    title: "A step of the bench on {host}"
    explanation: "Made by the load generator."
    causes: [The load generator]
    article: bench
    steps: [None]
    signal: {metric: hw.voltage}
    levels:
      - {priority: )",
                             priority,
                             R"(, above: 1000, clear: 900, hold: 0s}
)"));
  folder_.Write(
      "collector.yaml",
      absl::StrCat("state_directory: ", state(),
                   "\nhttps: {address: 127.0.0.1, port: ", https_port_,
                   "}\nagents: {address: 127.0.0.1, port: ", agents_port_,
                   "}\nrules: {directory: ", folder_ / "rules", "}\n",
                   "log_level: warning\n", config));
}

std::string BenchCollector::agents_address() const {
  return absl::StrCat("127.0.0.1:", agents_port_);
}

absl::StatusOr<std::vector<agent::Identity>> BenchCollector::Enroll(
    uint32_t count) {
  const e2e::Output init = e2e::RunProgram(
      {Program("forewarn-collector"), "init", "--config",
       folder_ / "collector.yaml", "--credential", folder_ / "cli.yaml"});
  if (init.code != 0) return absl::InternalError(init.err);
  std::ifstream credential(folder_ / "cli.yaml");
  for (std::string line; std::getline(credential, line);) {
    absl::string_view rest = line;
    if (absl::ConsumePrefix(&rest, "token: ")) token_ = std::string(rest);
  }
  FOREWARN_ASSIGN_OR_RETURN(const auto authority,
                            identity::CertificateAuthority::OpenOrCreate(
                                state() + "/ca", base::Clock::System()));
  FOREWARN_ASSIGN_OR_RETURN(const auto database,
                            store::SqliteDatabase::Open(state() + "/desk.db"));
  store::SqliteEndpointStore store(*database);
  fleet::EndpointRegistry registry(store);
  // One key for all: only the time it takes to make them is saved.
  FOREWARN_ASSIGN_OR_RETURN(const std::string key, agent::MakeKeyPem());
  FOREWARN_ASSIGN_OR_RETURN(const std::string csr,
                            agent::MakeCsrPem(key, "bench"));
  std::vector<agent::Identity> identities(count);
  const absl::Time now = absl::Now();
  for (uint32_t i = 0; i < count; ++i) {
    const std::string id =
        absl::StrFormat("00000000-0000-4000-8000-%012d", i + 1);
    FOREWARN_ASSIGN_OR_RETURN(const auto issued,
                              authority->SignEndpoint(csr, id));
    v1::EndpointFacts facts;
    facts.set_host_name(absl::StrCat("bench-", i));
    facts.set_endpoint_class(v1::ENDPOINT_CLASS_LAPTOP);
    FOREWARN_RETURN_IF_ERROR(
        registry.Enroll(id, facts, issued.serial, now + absl::Hours(168), now)
            .status());
    identities[i] = {.key_pem = key,
                     .certificate_pem = issued.pem,
                     .ca_pem = authority->ca_pem(),
                     .endpoint_id = id,
                     .collectors = {},
                     .urls = {},
                     .not_before = now,
                     .not_after = now + absl::Hours(168)};
  }
  return identities;
}

absl::Status BenchCollector::Start() {
  child_ = std::make_unique<e2e::Child>(
      std::vector<std::string>{Program("forewarn-collector"), "serve",
                               "--config", folder_ / "collector.yaml"},
      log());
  const absl::Time until = absl::Now() + absl::Minutes(2);
  while (child_->running() && absl::Now() < until) {
    if (Get("/readyz").ok()) return absl::OkStatus();
    absl::SleepFor(absl::Milliseconds(10));
  }
  std::ostringstream said;
  said << std::ifstream(log()).rdbuf();
  return absl::UnavailableError(
      absl::StrCat("the collector did not start: ", said.str()));
}

void BenchCollector::Kill() {
  child_->Signal(SIGKILL);
  child_->Wait();
}

void BenchCollector::Stop() {
  child_->Signal(SIGTERM);
  child_->Wait();
}

double BenchCollector::CpuSeconds() const {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(child_->pid(), &clock) != 0) return 0;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) / 1e9;
}

uint64_t BenchCollector::ResidentBytes() const {
  return 1024 *
         Figure(absl::StrCat("/proc/", child_->pid(), "/status"), "VmRSS");
}

uint64_t BenchCollector::WrittenBytes() const {
  return Figure(absl::StrCat("/proc/", child_->pid(), "/io"), "write_bytes");
}

uint64_t BenchCollector::HistoryBytes() const {
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           state() + "/history", error)) {
    // What the engine logs about itself holds no samples.
    if (absl::StartsWith(entry.path().filename().string(), "LOG")) continue;
    const uint64_t size = entry.file_size(error);
    if (!error) bytes += size;
  }
  return bytes;
}

absl::StatusOr<std::string> BenchCollector::Send(
    const char* method, const std::string& path) const {
  http::Request request;
  request.host = "127.0.0.1";
  request.port = https_port_;
  request.method = method;
  request.target = path;
  request.headers = {{"Authorization", "Bearer " + token_}};
  request.timeout = absl::Minutes(10);
  request.max_body_bytes = 1 << 30;
  request.prepare_tls = [this](SSL_CTX* context) {
    SSL_CTX_load_verify_locations(context, (state() + "/ca/ca.pem").c_str(),
                                  nullptr);
  };
  FOREWARN_ASSIGN_OR_RETURN(http::Reply reply, http::Exchange().Run(request));
  if (reply.status / 100 != 2) {
    return absl::UnknownError(
        absl::StrCat(path, ": ", reply.status, " ", reply.body));
  }
  return std::move(reply.body);
}

absl::StatusOr<std::string> BenchCollector::Get(const std::string& path) const {
  return Send("GET", path);
}

absl::Status BenchCollector::Post(const std::string& path) const {
  return Send("POST", path).status();
}

}  // namespace forewarn::bench
