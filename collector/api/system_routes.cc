#include "collector/api/system_routes.h"

#include <string>
#include <utility>

#include "collector/api/json.h"
#include "collector/api/openapi_document.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::api {
namespace {

HttpResponse PlainText(int status, std::string text) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

// Alive: this answer shows it.
absl::StatusOr<HttpResponse> Healthy(Call&) { return PlainText(200, "ok\n"); }

absl::StatusOr<HttpResponse> Ready(const ApiServices& services, Call& call) {
  const absl::Status status = services.ready();
  if (status.ok()) return PlainText(200, "ready\n");
  base::Log(base::LogLevel::kWarning, "not ready",
            {{"request", call.request().id}, {"reason", base::ToLine(status)}});
  return PlainText(503, "not ready\n");
}

absl::StatusOr<HttpResponse> Metrics(const ApiServices& services, Call&) {
  HttpResponse response = PlainText(200, services.metrics());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

absl::StatusOr<HttpResponse> OpenApi(Call&) {
  HttpResponse response = PlainText(200, std::string(OpenApiDocument()));
  response.content_type = "application/yaml";
  return response;
}

absl::StatusOr<HttpResponse> Flush(const ApiServices& services, Call&) {
  FOREWARN_RETURN_IF_ERROR(services.history.Flush());
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace

std::vector<Route> SystemRoutes(const ApiServices& services) {
  auto get = [](const char* pattern, Access access, RouteHandler handler) {
    return Route{.method = "GET",
                 .pattern = pattern,
                 .access = access,
                 .handler = std::move(handler)};
  };
  const RouteHandler ready = [&services](Call& call) {
    return Ready(services, call);
  };
  return {
      get("/healthz", Access::kPublic, Healthy),
      get("/readyz", Access::kPublic, ready),
      // The same in Prometheus's words.
      get("/-/healthy", Access::kPublic, Healthy),
      get("/-/ready", Access::kPublic, ready),
      get("/metrics", Access::kLocalOrViewer,
          [&services](Call& call) { return Metrics(services, call); }),
      get("/api/v1/openapi.yaml", Access::kPublic, OpenApi),
      get("/api/v1/version", Access::kViewer,
          [&services](Call&) { return JsonResponse(services.version); }),
      get("/api/v1/doctor", Access::kTechnician,
          [&services](Call&) { return JsonResponse(services.doctor()); }),
      {.method = "POST",
       .pattern = "/api/v1/history/flush",
       .access = Access::kAdmin,
       .audit = "history.flush",
       .handler = [&services](Call& call) { return Flush(services, call); }},
  };
}

}  // namespace forewarn::api
