#ifndef FOREWARN_COLLECTOR_API_JSON_H_
#define FOREWARN_COLLECTOR_API_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "collector/api/http.h"
#include "google/protobuf/message.h"

namespace forewarn::api {

// The protobuf JSON mapping with the protos' own field names; fields with
// default values are written too, absent messages are not.
std::string ToJson(const google::protobuf::Message& message);

// The other way. An empty body is an empty message. kInvalidArgument, with
// what and where, for broken JSON, a wrong type or an unknown field.
absl::Status FromJson(absl::string_view json,
                      google::protobuf::Message& message);

// `message` as the body of a 200 or another success.
HttpResponse JsonResponse(const google::protobuf::Message& message,
                          int status = 200);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_JSON_H_
