#ifndef FOREWARN_COLLECTOR_API_RULE_ROUTES_H_
#define FOREWARN_COLLECTOR_API_RULE_ROUTES_H_

#include <vector>

#include "collector/api/api_services.h"
#include "collector/api/router.h"

namespace forewarn::api {

// /api/v1/rules: the rules in force, and a check of a file's text.
// `services` must outlive the routes.
std::vector<Route> RuleRoutes(const ApiServices& services);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_RULE_ROUTES_H_
