#include "collector/cli/api_client.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "collector/cli/json_value.h"
#include "collector/cli/screen_text.h"
#include "protos/http/http_exchange.h"
#include "protos/http/url.h"

namespace forewarn::cli {
namespace {

constexpr size_t kLargestAnswer = 64 * 1024 * 1024;
constexpr uint16_t kHttpsPort = 443;
constexpr absl::Duration kPatience = absl::Seconds(30);

absl::Status TransportError(const absl::Status& error,
                            const ClientConfig& config) {
  switch (error.code()) {
    case absl::StatusCode::kUnauthenticated:
      return absl::UnavailableError(absl::StrCat(
          "the certificate of ", config.url, " is not one that ",
          config.ca_file, " signed for this name; no request was sent"));
    case absl::StatusCode::kDeadlineExceeded:
      return absl::UnavailableError(
          absl::StrCat(config.url, " broke off or did not answer in time"));
    default:
      return absl::UnavailableError(
          absl::StrCat("no answer from ", config.url, ": ", error.message()));
  }
}

absl::StatusCode CodeOf(int status) {
  switch (status) {
    case 400:
    case 413:
    case 415:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 409:
      return absl::StatusCode::kFailedPrecondition;
    case 408:
    case 503:
    case 504:
      return absl::StatusCode::kUnavailable;
    case 429:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kInternal;
  }
}

// What the problem document says; its strings are not trusted.
absl::Status HttpError(const http::Reply& response) {
  std::string detail = absl::StrCat("HTTP status ", response.status);
  const auto problem = ParseJson(response.body);
  const JsonValue* said = problem.ok() ? problem->Find("detail") : nullptr;
  if (said != nullptr && !said->text.empty()) detail = Inert(said->text);
  if (response.status >= 500 && !response.request_id.empty()) {
    absl::StrAppend(&detail, " (request ", Inert(response.request_id), ")");
  }
  return absl::Status(CodeOf(response.status), detail);
}

}  // namespace

absl::StatusOr<ApiClient> ApiClient::Make(const ClientConfig& config) {
  const absl::StatusOr<net::HostPort> server =
      http::ParseServerUrl(config.url, kHttpsPort);
  if (!server.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(config.path, ": url must be https://host:port"));
  }
  ApiClient client;
  client.config_ = config;
  client.host_ = server->host;
  client.port_ = server->port;
  return client;
}

absl::StatusOr<std::string> ApiClient::Get(const std::string& path) const {
  return Send("GET", path, "");
}

absl::StatusOr<std::string> ApiClient::Post(const std::string& path,
                                            const std::string& json) const {
  return Send("POST", path, json);
}

absl::Status ApiClient::Delete(const std::string& path) const {
  return Send("DELETE", path, "").status();
}

absl::StatusOr<std::string> ApiClient::Send(const char* method,
                                            const std::string& path,
                                            const std::string& json) const {
  // An unreadable file must not end in trusting the system's authorities.
  if (access(config_.ca_file.c_str(), R_OK) != 0) {
    return absl::UnavailableError(
        absl::StrCat("read the authority's certificate ", config_.ca_file,
                     ", which ca_file in ", config_.path, " names"));
  }
  http::Request request;
  request.host = host_;
  request.port = port_;
  request.method = method;
  request.target = path;
  request.headers = {{"Authorization", "Bearer " + config_.token},
                     {"Accept", "application/json"}};
  if (!json.empty()) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = json;
  }
  request.timeout = kPatience;
  request.max_body_bytes = kLargestAnswer;
  bool readable = true;
  request.prepare_tls = [this, &readable](SSL_CTX* context) {
    // In place of the system's authorities, not beside them.
    SSL_CTX_set_cert_store(context, X509_STORE_new());
    readable = SSL_CTX_load_verify_locations(context, config_.ca_file.c_str(),
                                             nullptr) == 1;
  };
  absl::StatusOr<http::Reply> reply = http::Exchange().Run(request);
  if (!readable) {
    return absl::UnavailableError(
        absl::StrCat("read the authority's certificate ", config_.ca_file));
  }
  if (!reply.ok()) return TransportError(reply.status(), config_);
  if (reply->truncated) {
    return absl::InternalError(
        absl::StrCat("the answer of ", config_.url, " is over 64 MiB"));
  }
  if (reply->status / 100 != 2) return HttpError(*reply);
  return std::move(reply->body);
}

std::string EscapeForUrl(absl::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' ||
        c == '~') {
      escaped.push_back(c);
    } else {
      escaped.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return escaped;
}

}  // namespace forewarn::cli
