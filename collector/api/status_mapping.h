#ifndef FOREWARN_COLLECTOR_API_STATUS_MAPPING_H_
#define FOREWARN_COLLECTOR_API_STATUS_MAPPING_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "collector/api/http.h"

namespace forewarn::api {

// HTTP status of an error: kNotFound 404, kFailedPrecondition 409, ...
int HttpStatusOf(absl::StatusCode code);

// The error as a problem. What went wrong inside the collector (5xx) is
// logged with the request id and told to the caller in general words only.
HttpResponse ErrorResponse(const absl::Status& status,
                           absl::string_view request_id);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_STATUS_MAPPING_H_
