#ifndef FOREWARN_TESTS_UNIT_COLLECTOR_API_API_FIXTURE_H_
#define FOREWARN_TESTS_UNIT_COLLECTOR_API_API_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "collector/api/api_routes.h"
#include "collector/api/api_services.h"
#include "collector/api/json.h"
#include "collector/history/rocks_store.h"
#include "collector/store/sqlite_database.h"
#include "collector/store/sqlite_desk_store.h"
#include "collector/store/sqlite_endpoint_store.h"
#include "collector/store/sqlite_token_store.h"
#include "gtest/gtest.h"
#include "protos/wire/proto_time.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::api {

// The API over the real services in a temporary folder, without a network.
class ApiFixture : public ::testing::Test {
 protected:
  ApiFixture() {
    database_ = *store::SqliteDatabase::Open(folder_ / "desk.db");
    desk_store_.emplace(*database_);
    endpoint_store_.emplace(*database_);
    token_store_.emplace(*database_);
    history_ = *history::RocksStore::Open({.directory = folder_ / "history"});
    authority_ =
        *identity::CertificateAuthority::OpenOrCreate(folder_ / "ca", clock_);
    desk_.emplace(*desk_store_, std::vector<desk::OutboxChannel>{}, clock_);
    endpoints_.emplace(*endpoint_store_);
    tokens_.emplace(*token_store_, clock_, authority_->pin(),
                    std::vector<std::string>{"https://localhost:8460"});
    EXPECT_EQ(detect::RuleSet::Load("", {}, rules_),
              std::vector<std::string>{});
    services_.reset(new ApiServices{
        .desk = *desk_,
        .endpoints = *endpoints_,
        .history = *history_,
        .tokens = *tokens_,
        .authority = *authority_,
        .rules = rules_,
        .words = words_,
        .clock = clock_,
        .audit =
            [this](const AuditEntry& entry) {
              audit_.push_back(absl::StrCat(entry.actor, "|", entry.verb, "|",
                                            entry.object, "|", entry.detail));
              return absl::OkStatus();
            },
        .observe = nullptr,
        .metrics = [] { return std::string("forewarn_up 1\n"); },
        .ready = [this] { return ready_; },
        .doctor =
            [] {
              v1::DoctorReport report;
              report.add_checks()->set_check("desk");
              return report;
            },
        .stream_addresses =
            [] { return std::vector<std::string>{"localhost:8461"}; },
        .version = {}});
    services_->version.set_version("9.9.9");
    api_ = MakeApi(*services_);
    for (const char* role : {"viewer", "technician", "admin"}) {
      v1::CreateTokenRequest request;
      request.set_kind("api");
      request.set_name(absl::StrCat("the ", role));
      request.set_role(role);
      secrets_.emplace_back(role, tokens_->Create(request, "test")->secret());
    }
  }

  // `who` is a role, or empty for nobody.
  HttpResponse Ask(const std::string& method, const std::string& target,
                   const std::string& who = "", const std::string& body = "") {
    HttpRequest request{.method = method,
                        .target = target,
                        .headers = {},
                        .body = body,
                        .peer = peer_,
                        .id = "r1"};
    if (!body.empty()) {
      request.headers.emplace_back("content-type", "application/json");
    }
    for (const auto& [role, secret] : secrets_) {
      if (role == who) {
        request.headers.emplace_back("authorization", "Bearer " + secret);
      }
    }
    return api_->Handle(request);
  }

  // The answer as a message; fails the test unless it is a 200.
  template <typename Message>
  Message Read(const HttpResponse& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    Message message;
    EXPECT_TRUE(FromJson(response.body, message).ok()) << response.body;
    return message;
  }

  v1::Endpoint AddEndpoint(const std::string& host, char digit) {
    v1::EndpointFacts facts;
    facts.set_host_name(host);
    facts.set_site("oslo");
    return *endpoints_->Enroll(
        absl::StrCat("00000000-0000-4000-8000-00000000000",
                     std::string(1, digit)),
        facts, "01", clock_.Now() + absl::Hours(168), clock_.Now());
  }

  // A ticket as correlation opens it.
  uint32_t AddTicket(const v1::Endpoint& endpoint,
                     const std::string& fingerprint) {
    correlate::IncidentChange change;
    change.kind = correlate::IncidentChange::Kind::kOpened;
    change.at = clock_.Now();
    change.priority = v1::P2;
    change.title.set_key("rule.disk_fill.title");
    change.incident.set_endpoint_id(endpoint.id());
    change.incident.set_lead_fingerprint(fingerprint);
    *change.incident.mutable_opened_at() = wire::ToStamp(clock_.Now());
    *change.incident.mutable_last_edge_at() = wire::ToStamp(clock_.Now());
    v1::Symptom& symptom = change.symptoms.emplace_back();
    symptom.set_fingerprint(fingerprint);
    symptom.set_endpoint_id(endpoint.id());
    symptom.set_host_name(endpoint.facts().host_name());
    symptom.set_rule("disk_fill");
    symptom.set_detector(v1::DETECTOR_KIND_FORECAST);
    symptom.set_subsystem("filesystem");
    symptom.set_priority(v1::P2);
    *symptom.mutable_opened_at() = wire::ToStamp(clock_.Now());
    *symptom.mutable_updated_at() = wire::ToStamp(clock_.Now());
    auto incident = desk_->Accept(change);
    EXPECT_TRUE(incident.ok()) << incident.status();
    return incident->ticket();
  }

  testing::TemporaryFolder folder_;
  testing::FakeClock clock_;
  std::unique_ptr<store::SqliteDatabase> database_;
  std::optional<store::SqliteDeskStore> desk_store_;
  std::optional<store::SqliteEndpointStore> endpoint_store_;
  std::optional<store::SqliteTokenStore> token_store_;
  std::unique_ptr<history::HistoryStore> history_;
  std::unique_ptr<identity::CertificateAuthority> authority_;
  std::optional<desk::TicketDesk> desk_;
  std::optional<fleet::EndpointRegistry> endpoints_;
  std::optional<identity::AccessTokens> tokens_;
  detect::RuleSet rules_;
  words::Words words_;
  std::unique_ptr<ApiServices> services_;
  std::unique_ptr<Router> api_;

  std::string peer_ = "192.0.2.7";
  absl::Status ready_;
  std::vector<std::string> audit_;
  std::vector<std::pair<std::string, std::string>> secrets_;
};

}  // namespace forewarn::api

#endif  // FOREWARN_TESTS_UNIT_COLLECTOR_API_API_FIXTURE_H_
