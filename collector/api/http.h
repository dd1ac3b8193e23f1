#ifndef FOREWARN_COLLECTOR_API_HTTP_H_
#define FOREWARN_COLLECTOR_API_HTTP_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace forewarn::api {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// A request as it came in, within the server's limits; nothing in it is
// trusted.
struct HttpRequest {
  std::string method;   // as sent: GET
  std::string target;   // as sent: /api/v1/tickets?limit=10
  HttpHeaders headers;  // names in lower case; trailers are left out
  std::string body;
  std::string peer;  // IP address of the connection
  std::string id;    // given by the server, in every answer and log line

  // Value of the first header with this lower-case name, empty if none.
  absl::string_view Header(absl::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

// The server adds length, date, request id and the security headers.
struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;
  HttpHeaders headers;
};

// Called on several threads at once.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_HTTP_H_
