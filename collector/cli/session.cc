#include "collector/cli/session.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "protos/base/status.h"

namespace forewarn::cli {
namespace {

constexpr uint32_t kPage = 500;

}  // namespace

absl::StatusOr<ClientConfig> Session::Config() {
  return ReadClientConfig(environment_);
}

absl::StatusOr<const ApiClient*> Session::Client() {
  if (!client_.has_value()) {
    FOREWARN_ASSIGN_OR_RETURN(const ClientConfig config, Config());
    FOREWARN_ASSIGN_OR_RETURN(client_, ApiClient::Make(config));
  }
  return &*client_;
}

absl::StatusOr<JsonValue> Session::Get(const std::string& path) {
  FOREWARN_ASSIGN_OR_RETURN(const std::string body, GetText(path));
  return ParseJson(body);
}

absl::StatusOr<std::string> Session::GetText(const std::string& path) {
  FOREWARN_ASSIGN_OR_RETURN(const ApiClient* client, Client());
  return client->Get(path);
}

absl::StatusOr<JsonValue> Session::Post(const std::string& path,
                                        const google::protobuf::Message& body) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(body, &json, options).ok()) {
    return absl::InvalidArgumentError("the text given is not UTF-8");
  }
  FOREWARN_ASSIGN_OR_RETURN(const ApiClient* client, Client());
  FOREWARN_ASSIGN_OR_RETURN(const std::string answer, client->Post(path, json));
  return ParseJson(answer);
}

absl::Status Session::Delete(const std::string& path) {
  FOREWARN_ASSIGN_OR_RETURN(const ApiClient* client, Client());
  return client->Delete(path);
}

absl::StatusOr<JsonValue> Session::GetList(const std::string& path,
                                           absl::string_view field,
                                           uint32_t limit) {
  const char* joint = path.find('?') == std::string::npos ? "?" : "&";
  JsonValue all;
  std::string cursor;
  while (true) {
    JsonValue* rows = all.Find(field);
    const uint32_t left =
        limit -
        (rows == nullptr ? 0 : static_cast<uint32_t>(rows->items.size()));
    FOREWARN_ASSIGN_OR_RETURN(
        JsonValue page,
        Get(absl::StrCat(
            path, joint, "limit=", std::min(left, kPage),
            cursor.empty() ? "" : "&cursor=", EscapeForUrl(cursor))));
    const JsonValue* next = page.Find("next_cursor");
    JsonValue* more = page.Find(field);
    if (next == nullptr || more == nullptr) {
      return absl::DataLossError(
          absl::StrCat("the collector's list has no ", field));
    }
    // A collector that gives nothing new would keep us for ever.
    const bool stuck = next->text == cursor || more->items.empty();
    cursor = next->text;
    if (rows == nullptr) {
      all = std::move(page);
    } else {
      std::move(more->items.begin(), more->items.end(),
                std::back_inserter(rows->items));
      all.Find("next_cursor")->text = cursor;
    }
    if (cursor.empty() || stuck) return all;
    if (all.Find(field)->items.size() >= limit) {
      output_.Say(absl::StrCat("Only the first ", limit,
                               " are shown; --limit shows more."));
      return all;
    }
  }
}

absl::Status ReadMessage(const JsonValue& document,
                         google::protobuf::Message& message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = google::protobuf::util::JsonStringToMessage(
      ToJson(document), &message, options);
  if (status.ok()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the collector's answer is no ",
                                          message.GetDescriptor()->name(), ": ",
                                          status.message().ToString()));
}

}  // namespace forewarn::cli
