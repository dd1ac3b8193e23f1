#include "collector/api/status_mapping.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "collector/api/problem.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::api {

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    // A full disk or queue of the collector's. A caller that is too fast
    // meets the rate limiter's 429 instead.
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    case absl::StatusCode::kUnimplemented:
      return 501;
    default:
      return 500;
  }
}

HttpResponse ErrorResponse(const absl::Status& status,
                           absl::string_view request_id) {
  const int code = HttpStatusOf(status.code());
  std::string detail(status.message());
  if (code >= 500) {
    base::Log(base::LogLevel::kError, "request failed",
              {{"request", request_id}, {"error", base::ToLine(status)}});
    detail = code == 503 ? "the collector cannot do this now; try again"
                         : "the collector failed; its log has the reason under "
                           "this request id";
  }
  HttpResponse response = ProblemResponse(code, detail, request_id);
  if (code == 401) {
    response.headers.emplace_back("WWW-Authenticate",
                                  "Bearer realm=\"forewarn\"");
  }
  if (code == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

}  // namespace forewarn::api
