#ifndef FOREWARN_COLLECTOR_API_TICKET_ROUTES_H_
#define FOREWARN_COLLECTOR_API_TICKET_ROUTES_H_

#include <vector>

#include "collector/api/api_services.h"
#include "collector/api/router.h"

namespace forewarn::api {

// /api/v1/tickets: list, show, and the verbs of the workflow.
// `services` must outlive the routes.
std::vector<Route> TicketRoutes(const ApiServices& services);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_TICKET_ROUTES_H_
