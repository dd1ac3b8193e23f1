#include "collector/api/rule_routes.h"

#include <string>
#include <utility>
#include <vector>

#include "collector/api/json.h"
#include "protos/base/status.h"

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

absl::StatusOr<HttpResponse> CheckRules(Call& call) {
  v1::CheckRulesRequest request;
  FOREWARN_RETURN_IF_ERROR(FromJson(call.request().body, request));
  if (request.yaml().empty()) {
    return absl::InvalidArgumentError("yaml must hold the text of the file");
  }
  if (request.file_name().size() > 256) {
    return absl::InvalidArgumentError("file_name has more than 256 bytes");
  }
  v1::RulePack pack;
  std::vector<std::string> errors = detect::RuleSet::CheckFile(
      request.yaml(),
      request.file_name().empty() ? "rules.yaml" : request.file_name(), pack);
  v1::CheckRulesResponse response;
  response.set_valid(errors.empty());
  response.set_rules(static_cast<uint32_t>(pack.rules_size()));
  for (std::string& error : errors) response.add_errors(std::move(error));
  return JsonResponse(response);
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
  };
}

}  // namespace forewarn::api
