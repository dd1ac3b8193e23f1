#include "collector/api/problem.h"

#include <string>

#include "collector/api/json.h"
#include "forewarn/v1/api.pb.h"

namespace forewarn::api {

absl::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Error";
  }
}

HttpResponse ProblemResponse(int status, absl::string_view detail,
                             absl::string_view request_id) {
  v1::ProblemDetails problem;
  problem.set_type("about:blank");
  problem.set_title(std::string(ReasonPhrase(status)));
  problem.set_status(static_cast<uint32_t>(status));
  problem.set_detail(std::string(detail));
  problem.set_instance(std::string(request_id));
  HttpResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = ToJson(problem);
  return response;
}

}  // namespace forewarn::api
