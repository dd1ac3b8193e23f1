#ifndef FOREWARN_COLLECTOR_API_ENROLL_ROUTES_H_
#define FOREWARN_COLLECTOR_API_ENROLL_ROUTES_H_

#include <vector>

#include "collector/api/api_services.h"
#include "collector/api/router.h"

namespace forewarn::api {

// /api/v1/enroll and /api/v1/renew: a certificate for an endpoint. Public:
// a one-use token, or the key of the old certificate, authorises. Who fails
// too often from one address has to wait.
// `services` must outlive the routes.
std::vector<Route> EnrollRoutes(const ApiServices& services);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_ENROLL_ROUTES_H_
