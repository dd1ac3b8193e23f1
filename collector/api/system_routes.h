#ifndef FOREWARN_COLLECTOR_API_SYSTEM_ROUTES_H_
#define FOREWARN_COLLECTOR_API_SYSTEM_ROUTES_H_

#include <vector>

#include "collector/api/api_services.h"
#include "collector/api/router.h"

namespace forewarn::api {

// Health, readiness, metrics, version, doctor and the API's own document.
// `services` must outlive the routes.
std::vector<Route> SystemRoutes(const ApiServices& services);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_SYSTEM_ROUTES_H_
