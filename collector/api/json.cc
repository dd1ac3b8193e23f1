#include "collector/api/json.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "protos/base/logging.h"

namespace forewarn::api {

namespace pb = google::protobuf;

std::string ToJson(const pb::Message& message) {
  pb::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = pb::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) {
    // Only a time outside years 1 to 9999 can do this; it is our own fault.
    base::Log(base::LogLevel::kError, "write JSON",
              {{"message", message.GetTypeName()},
               {"error", status.message().ToString()}});
    return "{}";
  }
  return json;
}

absl::Status FromJson(absl::string_view json, pb::Message& message) {
  message.Clear();
  if (absl::StripAsciiWhitespace(json).empty()) return absl::OkStatus();
  const auto status = pb::util::JsonStringToMessage(
      pb::StringPiece(json.data(), json.size()), &message);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "request body is not a valid ", message.GetDescriptor()->name(), ": ",
      status.message().ToString()));
}

HttpResponse JsonResponse(const pb::Message& message, int status) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = ToJson(message);
  return response;
}

}  // namespace forewarn::api
