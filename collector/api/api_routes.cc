#include "collector/api/api_routes.h"

#include <iterator>
#include <utility>
#include <vector>

#include "collector/api/endpoint_routes.h"
#include "collector/api/enroll_routes.h"
#include "collector/api/rule_routes.h"
#include "collector/api/symptom_routes.h"
#include "collector/api/system_routes.h"
#include "collector/api/ticket_routes.h"
#include "collector/api/token_routes.h"

namespace forewarn::api {

std::unique_ptr<Router> MakeApi(const ApiServices& services) {
  std::vector<Route> all;
  for (auto part : {TicketRoutes, EndpointRoutes, SymptomRoutes, TokenRoutes,
                    RuleRoutes, EnrollRoutes, SystemRoutes}) {
    std::vector<Route> routes = part(services);
    std::move(routes.begin(), routes.end(), std::back_inserter(all));
  }
  return std::make_unique<Router>(
      std::move(all),
      [&services](absl::string_view secret) {
        return services.tokens.Authenticate(secret);
      },
      services.audit, services.observe);
}

}  // namespace forewarn::api
