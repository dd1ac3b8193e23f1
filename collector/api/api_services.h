#ifndef FOREWARN_COLLECTOR_API_API_SERVICES_H_
#define FOREWARN_COLLECTOR_API_API_SERVICES_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "collector/api/router.h"
#include "collector/desk/ticket_desk.h"
#include "collector/detect/rule_set.h"
#include "collector/fleet/endpoint_registry.h"
#include "collector/history/history_store.h"
#include "collector/identity/access_tokens.h"
#include "collector/identity/certificate_authority.h"
#include "collector/words/words.h"
#include "forewarn/v1/api.pb.h"
#include "protos/base/clock.h"

namespace forewarn::api {

// What the routes stand on. All must outlive the server; all are thread-safe.
struct ApiServices {
  desk::TicketDesk& desk;
  fleet::EndpointRegistry& endpoints;
  history::HistoryStore& history;
  identity::AccessTokens& tokens;
  identity::CertificateAuthority& authority;
  const detect::RuleSet& rules;
  const words::Words& words;
  base::Clock& clock;

  Router::AuditLog audit;                // every change that succeeded
  Router::Observer observe;              // every answer; may be null
  std::function<std::string()> metrics;  // Prometheus text format
  std::function<absl::Status()> ready;   // OK: batches are being taken
  std::function<v1::DoctorReport()> doctor;
  // host:port of the agents' listener, as endpoints reach it, in order.
  std::function<std::vector<std::string>()> stream_addresses;
  v1::VersionInfo version;
};

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_API_SERVICES_H_
