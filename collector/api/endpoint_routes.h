#ifndef FOREWARN_COLLECTOR_API_ENDPOINT_ROUTES_H_
#define FOREWARN_COLLECTOR_API_ENDPOINT_ROUTES_H_

#include <vector>

#include "collector/api/api_services.h"
#include "collector/api/router.h"

namespace forewarn::api {

// /api/v1/endpoints: list, show, their series and samples.
// `services` must outlive the routes.
std::vector<Route> EndpointRoutes(const ApiServices& services);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_ENDPOINT_ROUTES_H_
