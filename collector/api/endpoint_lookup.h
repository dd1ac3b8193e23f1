#ifndef FOREWARN_COLLECTOR_API_ENDPOINT_LOOKUP_H_
#define FOREWARN_COLLECTOR_API_ENDPOINT_LOOKUP_H_

#include <string>

#include "absl/status/statusor.h"
#include "collector/api/api_services.h"
#include "collector/api/router.h"

namespace forewarn::api {

// The endpoint that path parameter {endpoint} names by id, host name or
// number; kNotFound.
absl::StatusOr<v1::Endpoint> EndpointOf(const ApiServices& services,
                                        const Call& call);

// Id of the endpoint that query key `endpoint` names in the same way; empty
// when it is not given; kNotFound.
absl::StatusOr<std::string> EndpointIdOf(const ApiServices& services,
                                         const Call& call);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_ENDPOINT_LOOKUP_H_
