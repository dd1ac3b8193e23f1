#include "collector/api/token_routes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "collector/api/json.h"
#include "protos/base/status.h"

namespace forewarn::api {
namespace {

absl::StatusOr<HttpResponse> ListTokens(const ApiServices& services, Call&) {
  FOREWARN_ASSIGN_OR_RETURN(std::vector<v1::TokenInfo> tokens,
                            services.tokens.List());
  v1::TokenList list;
  for (v1::TokenInfo& token : tokens) *list.add_tokens() = std::move(token);
  return JsonResponse(list);
}

absl::StatusOr<HttpResponse> CreateToken(const ApiServices& services,
                                         Call& call) {
  v1::CreateTokenRequest request;
  FOREWARN_RETURN_IF_ERROR(FromJson(call.request().body, request));
  FOREWARN_ASSIGN_OR_RETURN(const v1::CreateTokenResponse created,
                            services.tokens.Create(request, call.actor()));
  return JsonResponse(created, 201);
}

absl::StatusOr<HttpResponse> RevokeToken(const ApiServices& services,
                                         Call& call) {
  FOREWARN_ASSIGN_OR_RETURN(const uint32_t id, call.PathNumber("id"));
  FOREWARN_RETURN_IF_ERROR(services.tokens.Revoke(id, call.actor()));
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace

std::vector<Route> TokenRoutes(const ApiServices& services) {
  return {
      {.method = "GET",
       .pattern = "/api/v1/tokens",
       .access = Access::kAdmin,
       .handler = [&services](Call& c) { return ListTokens(services, c); }},
      {.method = "POST",
       .pattern = "/api/v1/tokens",
       .access = Access::kAdmin,
       .audited_by_service = true,
       .handler = [&services](Call& c) { return CreateToken(services, c); }},
      {.method = "DELETE",
       .pattern = "/api/v1/tokens/{id}",
       .access = Access::kAdmin,
       .audited_by_service = true,
       .handler = [&services](Call& c) { return RevokeToken(services, c); }},
  };
}

}  // namespace forewarn::api
