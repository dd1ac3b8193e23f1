#include "tests/fleetsim/simulated_collector.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "collector/fleet/endpoint_registry.h"
#include "collector/identity/certificate_authority.h"
#include "collector/identity/certificates.h"
#include "collector/identity/private_file.h"
#include "collector/main/init.h"
#include "collector/store/sqlite_database.h"
#include "collector/store/sqlite_desk_store.h"
#include "collector/store/sqlite_endpoint_store.h"
#include "protos/base/status.h"

namespace forewarn::fleetsim {

std::string EndpointId(uint32_t number) {
  return absl::StrFormat("00000000-0000-4000-8000-%012d", number + 1);
}

SimulatedCollector::SimulatedCollector(absl::Time start) : clock_(start) {}

absl::StatusOr<std::vector<agent::Identity>> SimulatedCollector::Start(
    absl::Span<const v1::EndpointFacts> facts, absl::Duration tick) {
  folder_.Write("collector.yaml",
                absl::StrCat("state_directory: ", folder_ / "state",
                             "\nhttps: {address: 127.0.0.1, port: 0}\n"
                             "agents: {address: 127.0.0.1, port: 0}\n"
                             "log_level: warning\n"));
  const std::vector<std::string> errors =
      main::LoadSettings(folder_ / "collector.yaml", "", settings_);
  if (!errors.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
  }
  settings_.https_port = settings_.agents_port = 0;
  settings_.tick = tick;
  settings_.commit = absl::Milliseconds(2);
  // Nobody else needs the machine, and all of them wait for the slowest.
  settings_.shards =
      static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  // Its root must be as old as the simulation.
  FOREWARN_RETURN_IF_ERROR(identity::CertificateAuthority::OpenOrCreate(
                               settings_.ca_directory(), clock_)
                               .status());
  FOREWARN_RETURN_IF_ERROR(main::Init(settings_, folder_ / "cli.yaml"));
  FOREWARN_ASSIGN_OR_RETURN(auto identities, Enroll(facts));
  FOREWARN_ASSIGN_OR_RETURN(collector_,
                            main::Collector::Start(settings_, clock_));
  return identities;
}

absl::StatusOr<std::vector<agent::Identity>> SimulatedCollector::Enroll(
    absl::Span<const v1::EndpointFacts> facts) {
  // As the authority signs them, but good for the simulated time and for the
  // real one, against which TLS checks them.
  FOREWARN_ASSIGN_OR_RETURN(
      const std::string root_pem,
      identity::ReadSmallFile(settings_.ca_directory() + "/ca.pem"));
  FOREWARN_ASSIGN_OR_RETURN(const auto root,
                            identity::ParseCertificate(root_pem));
  FOREWARN_ASSIGN_OR_RETURN(
      const std::string root_key_pem,
      identity::ReadPrivateFile(settings_.ca_directory() + "/ca-key.pem"));
  FOREWARN_ASSIGN_OR_RETURN(const auto root_key,
                            identity::ParsePrivateKey(root_key_pem));
  FOREWARN_ASSIGN_OR_RETURN(
      const auto database,
      store::SqliteDatabase::Open(settings_.database_path()));
  store::SqliteEndpointStore store(*database);
  fleet::EndpointRegistry registry(store);
  // One key for all: only the time it takes to make them is saved.
  FOREWARN_ASSIGN_OR_RETURN(const auto key, identity::MakeP256Key());
  FOREWARN_ASSIGN_OR_RETURN(const std::string key_pem,
                            identity::PrivateKeyPem(key.get()));
  std::vector<agent::Identity> identities;
  const absl::Time begin = clock_.Now() - absl::Hours(1);
  const absl::Time end = absl::Now() + absl::Hours(168);
  for (uint32_t i = 0; i < facts.size(); ++i) {
    const std::string id = EndpointId(i);
    FOREWARN_ASSIGN_OR_RETURN(
        const auto certificate,
        identity::MakeCertificate({.common_name = id,
                                   .uris = {"forewarn://endpoint/" + id},
                                   .names = {},
                                   .not_before = begin,
                                   .not_after = end},
                                  key.get(), root.get(), root_key.get()));
    FOREWARN_ASSIGN_OR_RETURN(std::string pem,
                              identity::CertificatePem(certificate.get()));
    FOREWARN_RETURN_IF_ERROR(registry
                                 .Enroll(id, facts[i],
                                         identity::SerialOf(certificate.get()),
                                         end, clock_.Now())
                                 .status());
    identities.push_back({.key_pem = key_pem,
                          .certificate_pem = std::move(pem),
                          .ca_pem = root_pem,
                          .endpoint_id = id,
                          .collectors = {},
                          .urls = {},
                          .not_before = begin,
                          .not_after = end});
  }
  return identities;
}

std::string SimulatedCollector::agents_address() const {
  return absl::StrCat("127.0.0.1:", collector_->agents_port());
}

absl::StatusOr<DeskRecord> SimulatedCollector::Finish() {
  constexpr uint32_t kPage = 1000;
  collector_.reset();
  FOREWARN_ASSIGN_OR_RETURN(
      const auto database,
      store::SqliteDatabase::Open(settings_.database_path()));
  store::SqliteDeskStore store(*database);
  DeskRecord record;
  FOREWARN_RETURN_IF_ERROR(store.Read([&](desk::DeskTransaction& desk) {
    uint32_t before = 0;
    do {
      FOREWARN_ASSIGN_OR_RETURN(
          std::vector<v1::Ticket> tickets,
          desk.tickets().ListTickets({.before_id = before, .limit = kPage}));
      before = tickets.empty() ? 0 : tickets.back().id();
      for (v1::Ticket& ticket : tickets) {
        FOREWARN_ASSIGN_OR_RETURN(
            std::vector<v1::Symptom> symptoms,
            desk.symptoms().SymptomsOf(ticket.incident()));
        record.tickets.push_back({std::move(ticket), std::move(symptoms)});
      }
    } while (before != 0);
    std::reverse(record.tickets.begin(), record.tickets.end());
    for (uint32_t offset = 0; offset == record.symptoms.size();
         offset += kPage) {
      FOREWARN_ASSIGN_OR_RETURN(
          std::vector<v1::Symptom> symptoms,
          desk.symptoms().ListSymptoms({.offset = offset, .limit = kPage}));
      for (v1::Symptom& symptom : symptoms) {
        record.symptoms.push_back(std::move(symptom));
      }
    }
    return absl::OkStatus();
  }));
  return record;
}

}  // namespace forewarn::fleetsim
