#ifndef FOREWARN_COLLECTOR_API_SYMPTOM_ROUTES_H_
#define FOREWARN_COLLECTOR_API_SYMPTOM_ROUTES_H_

#include <vector>

#include "collector/api/api_services.h"
#include "collector/api/router.h"

namespace forewarn::api {

// /api/v1/symptoms: what the detectors found, newest first.
// `services` must outlive the routes.
std::vector<Route> SymptomRoutes(const ApiServices& services);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_SYMPTOM_ROUTES_H_
