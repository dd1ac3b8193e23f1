#include "collector/api/rule_routes.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "collector/api/json.h"
#include "collector/api/paging.h"
#include "collector/backtest/history_run.h"
#include "collector/detect/endpoint_profile.h"
#include "protos/base/deadline.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::api {
namespace {

absl::StatusOr<HttpResponse> ListRules(const ApiServices& services, Call&) {
  v1::RuleList list;
  for (const v1::Rule& rule : services.rules.rules()) *list.add_rules() = rule;
  FOREWARN_ASSIGN_OR_RETURN(std::vector<v1::ForecastTally> tallies,
                            services.desk.RecentTallies());
  for (v1::ForecastTally& tally : tallies) {
    *list.add_forecasts() = std::move(tally);
  }
  return JsonResponse(list);
}

// What messages call the file; kInvalidArgument when its text is missing.
absl::StatusOr<std::string> FileNameOf(const std::string& yaml,
                                       const std::string& name) {
  if (yaml.empty()) {
    return absl::InvalidArgumentError("yaml must hold the text of the file");
  }
  if (name.size() > 256) {
    return absl::InvalidArgumentError("file_name has more than 256 bytes");
  }
  return name.empty() ? "rules.yaml" : name;
}

absl::StatusOr<HttpResponse> CheckRules(Call& call) {
  v1::CheckRulesRequest request;
  FOREWARN_RETURN_IF_ERROR(FromJson(call.request().body, request));
  FOREWARN_ASSIGN_OR_RETURN(const std::string file_name,
                            FileNameOf(request.yaml(), request.file_name()));
  v1::RulePack pack;
  std::vector<std::string> errors =
      detect::RuleSet::CheckFile(request.yaml(), file_name, pack);
  v1::CheckRulesResponse response;
  response.set_valid(errors.empty());
  response.set_rules(static_cast<uint32_t>(pack.rules_size()));
  for (std::string& error : errors) response.add_errors(std::move(error));
  return JsonResponse(response);
}

// One page works so long, or on one endpoint; chosen so that a request ends
// well before a client's patience.
constexpr absl::Duration kPageOfWork = absl::Seconds(5);
constexpr absl::Duration kLongestPast = absl::Hours(24 * 366);

absl::Status RunPage(const ApiServices& services, const detect::RuleSet& rules,
                     absl::Time from, absl::Time to, uint32_t after,
                     v1::BacktestRulesResponse& page) {
  const std::vector<v1::Endpoint> fleet = services.endpoints.List();
  page.set_fleet(static_cast<uint32_t>(fleet.size()));
  const base::Deadline enough(kPageOfWork);
  words::Words words = services.words;
  for (const v1::Rule& rule : rules.rules()) {
    words.Add(absl::StrCat("rule.", rule.id(), ".title"), rule.title());
  }
  for (const v1::Endpoint& endpoint : fleet) {
    if (endpoint.number() <= after) continue;
    if (page.endpoints() > 0 && enough.Left() == absl::ZeroDuration()) {
      page.set_next_cursor(FormatCursor('b', after));
      return absl::OkStatus();
    }
    after = endpoint.number();
    page.set_endpoints(page.endpoints() + 1);
    const absl::StatusOr<backtest::HistoryRun> run =
        backtest::RunHistory(services.history, endpoint.number(),
                             detect::ProfileOf(endpoint), rules, from, to);
    if (!run.ok()) {
      page.add_unread(absl::StrCat(endpoint.facts().host_name(), ": ",
                                   run.status().message()));
      continue;
    }
    page.set_samples(page.samples() + run->samples);
    for (const backtest::PastTicket& past : run->tickets) {
      v1::BacktestTicket& ticket = *page.add_tickets();
      ticket.set_endpoint_id(endpoint.id());
      ticket.set_host_name(endpoint.facts().host_name());
      ticket.set_priority(past.priority);
      ticket.set_title_text(words.Render(past.title));
      *ticket.mutable_opened_at() = past.incident.opened_at();
      if (past.incident.has_closed_at()) {
        *ticket.mutable_closed_at() = past.incident.closed_at();
      }
      ticket.set_symptoms(static_cast<uint32_t>(past.symptoms.size()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<HttpResponse> BacktestRules(const ApiServices& services,
                                           std::atomic<bool>& busy,
                                           Call& call) {
  v1::BacktestRulesRequest request;
  FOREWARN_RETURN_IF_ERROR(FromJson(call.request().body, request));
  FOREWARN_ASSIGN_OR_RETURN(const std::string file_name,
                            FileNameOf(request.yaml(), request.file_name()));
  const absl::Time to =
      request.has_to() ? wire::ToTime(request.to()) : services.clock.Now();
  const absl::Time from = wire::ToTime(request.from());
  if (!request.has_from() || from >= to || to - from > kLongestPast) {
    return absl::InvalidArgumentError(
        "from must be a time before `to`, at most 366 days");
  }
  uint32_t after = 0;
  if (!request.cursor().empty()) {
    FOREWARN_ASSIGN_OR_RETURN(after, ParseCursor(request.cursor(), 'b'));
  }
  v1::BacktestRulesResponse page;
  detect::RuleSet rules;
  for (std::string& error : rules.Add(request.yaml(), file_name)) {
    page.add_errors(std::move(error));
  }
  if (page.errors().empty()) {
    // One at a time: the handlers that are left serve everybody else.
    if (busy.exchange(true)) {
      return absl::ResourceExhaustedError(
          "another back-test is running; try again in some seconds");
    }
    const absl::Status ran = RunPage(services, rules, from, to, after, page);
    busy = false;
    FOREWARN_RETURN_IF_ERROR(ran);
  }
  return JsonResponse(page);
}

}  // namespace

std::vector<Route> RuleRoutes(const ApiServices& services) {
  return {
      {.method = "GET",
       .pattern = "/api/v1/rules",
       .access = Access::kViewer,
       .handler = [&services](Call& c) { return ListRules(services, c); }},
      {.method = "POST",
       .pattern = "/api/v1/rules/check",
       .access = Access::kTechnician,
       .read_only = true,
       .handler = CheckRules},
      {.method = "POST",
       .pattern = "/api/v1/rules/backtest",
       .access = Access::kTechnician,
       .read_only = true,
       .handler = [&services,
                   busy = std::make_shared<std::atomic<bool>>(false)](
                      Call& c) { return BacktestRules(services, *busy, c); }},
  };
}

}  // namespace forewarn::api
