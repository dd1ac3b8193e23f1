#include "collector/api/endpoint_lookup.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "protos/base/status.h"

namespace forewarn::api {
namespace {

absl::StatusOr<v1::Endpoint> Find(const ApiServices& services,
                                  const std::string& name) {
  auto endpoint = services.endpoints.Find(name);
  if (endpoint.has_value()) return *std::move(endpoint);
  return absl::NotFoundError(absl::StrCat(
      "no endpoint has the id, number or unique host name ", name));
}

}  // namespace

absl::StatusOr<v1::Endpoint> EndpointOf(const ApiServices& services,
                                        const Call& call) {
  return Find(services, call.Path("endpoint"));
}

absl::StatusOr<std::string> EndpointIdOf(const ApiServices& services,
                                         const Call& call) {
  if (call.Query("endpoint").empty()) return std::string();
  FOREWARN_ASSIGN_OR_RETURN(const v1::Endpoint endpoint,
                            Find(services, call.Query("endpoint")));
  return endpoint.id();
}

}  // namespace forewarn::api
