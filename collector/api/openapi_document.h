#ifndef FOREWARN_COLLECTOR_API_OPENAPI_DOCUMENT_H_
#define FOREWARN_COLLECTOR_API_OPENAPI_DOCUMENT_H_

#include "absl/strings/string_view.h"

namespace forewarn::api {

// docs/openapi.yaml, embedded.
absl::string_view OpenApiDocument();

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_OPENAPI_DOCUMENT_H_
