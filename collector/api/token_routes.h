#ifndef FOREWARN_COLLECTOR_API_TOKEN_ROUTES_H_
#define FOREWARN_COLLECTOR_API_TOKEN_ROUTES_H_

#include <vector>

#include "collector/api/api_services.h"
#include "collector/api/router.h"

namespace forewarn::api {

// /api/v1/tokens: create, list, revoke; administrators only.
// `services` must outlive the routes.
std::vector<Route> TokenRoutes(const ApiServices& services);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_TOKEN_ROUTES_H_
