#ifndef FOREWARN_COLLECTOR_API_API_ROUTES_H_
#define FOREWARN_COLLECTOR_API_API_ROUTES_H_

#include <memory>

#include "collector/api/api_services.h"
#include "collector/api/router.h"

namespace forewarn::api {

// The whole API, as docs/openapi.yaml describes it. `services` must outlive
// the router.
std::unique_ptr<Router> MakeApi(const ApiServices& services);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_API_ROUTES_H_
