#include "collector/api/symptom_routes.h"

#include <utility>

#include "collector/api/endpoint_lookup.h"
#include "collector/api/json.h"
#include "collector/api/paging.h"
#include "protos/base/status.h"

namespace forewarn::api {
namespace {

absl::StatusOr<HttpResponse> ListSymptoms(const ApiServices& services,
                                          Call& call) {
  FOREWARN_ASSIGN_OR_RETURN(const Page page, PageOf(call, 's'));
  desk::SymptomFilter filter;
  filter.offset = page.cursor;
  filter.limit = page.limit + 1;  // one more tells whether a page follows
  filter.rule = call.Query("rule");
  FOREWARN_ASSIGN_OR_RETURN(filter.open_only, call.QueryFlag("open"));
  FOREWARN_ASSIGN_OR_RETURN(filter.endpoint_id, EndpointIdOf(services, call));
  FOREWARN_ASSIGN_OR_RETURN(std::vector<v1::Symptom> symptoms,
                            services.desk.Symptoms(filter));
  v1::SymptomList list;
  for (v1::Symptom& symptom : symptoms) {
    if (list.symptoms_size() == static_cast<int>(page.limit)) {
      list.set_next_cursor(FormatCursor('s', page.cursor + page.limit));
      break;
    }
    *list.add_symptoms() = std::move(symptom);
  }
  return JsonResponse(list);
}

}  // namespace

std::vector<Route> SymptomRoutes(const ApiServices& services) {
  return {
      {.method = "GET",
       .pattern = "/api/v1/symptoms",
       .access = Access::kViewer,
       .query = {"open", "endpoint", "rule", "cursor", "limit"},
       .handler = [&services](Call& c) { return ListSymptoms(services, c); }},
  };
}

}  // namespace forewarn::api
