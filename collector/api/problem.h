#ifndef FOREWARN_COLLECTOR_API_PROBLEM_H_
#define FOREWARN_COLLECTOR_API_PROBLEM_H_

#include "absl/strings/string_view.h"
#include "collector/api/http.h"

namespace forewarn::api {

// "Not Found" for 404; "Error" for a code we never send.
absl::string_view ReasonPhrase(int status);

// An error as application/problem+json (RFC 9457, v1::ProblemDetails). `detail` is
// for people; it names no secret and no path of the collector.
HttpResponse ProblemResponse(int status, absl::string_view detail,
                             absl::string_view request_id);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_PROBLEM_H_
