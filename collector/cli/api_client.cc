#include "collector/cli/api_client.h"

#include <httplib.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "collector/cli/json_value.h"
#include "collector/cli/screen_text.h"

namespace forewarn::cli {
namespace {

constexpr size_t kLargestAnswer = 64 * 1024 * 1024;

absl::Status TransportError(httplib::Error error, const ClientConfig& config) {
  switch (error) {
    case httplib::Error::SSLServerVerification:
      return absl::UnavailableError(absl::StrCat(
          "the certificate of ", config.url, " is not one that ",
          config.ca_file, " signed for this name; no request was sent"));
    case httplib::Error::SSLLoadingCerts:
      return absl::UnavailableError(
          absl::StrCat("read the authority's certificate ", config.ca_file));
    case httplib::Error::Canceled:
      return absl::InternalError(
          absl::StrCat("the answer of ", config.url, " is over 64 MiB"));
    case httplib::Error::Read:
    case httplib::Error::Write:
    case httplib::Error::ConnectionTimeout:
      return absl::UnavailableError(
          absl::StrCat(config.url, " broke off or did not answer in time"));
    default:
      return absl::UnavailableError(
          absl::StrCat("nobody answers at ", config.url));
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
absl::Status HttpError(const httplib::Response& response) {
  std::string detail = absl::StrCat("HTTP status ", response.status);
  const auto problem = ParseJson(response.body);
  const JsonValue* said = problem.ok() ? problem->Find("detail") : nullptr;
  if (said != nullptr && !said->text.empty()) detail = Inert(said->text);
  const std::string request = response.get_header_value("X-Request-Id");
  if (response.status >= 500 && !request.empty()) {
    absl::StrAppend(&detail, " (request ", Inert(request), ")");
  }
  return absl::Status(CodeOf(response.status), detail);
}

}  // namespace

absl::StatusOr<ApiClient> ApiClient::Make(const ClientConfig& config) {
  const auto wrong = [&config] {
    return absl::InvalidArgumentError(
        absl::StrCat(config.path, ": url must be https://host:port"));
  };
  ApiClient client;
  client.config_ = config;
  absl::string_view rest = config.url;
  if (!absl::ConsumePrefix(&rest, "https://")) return wrong();
  absl::ConsumeSuffix(&rest, "/");
  absl::string_view port;
  if (absl::ConsumePrefix(&rest, "[")) {
    const size_t end = rest.find(']');
    if (end == absl::string_view::npos) return wrong();
    client.host_ = std::string(rest.substr(0, end));
    port = rest.substr(end + 1);
  } else {
    const size_t colon = rest.find(':');
    client.host_ = std::string(rest.substr(0, colon));
    port = colon == absl::string_view::npos ? "" : rest.substr(colon);
  }
  if (client.host_.empty() ||
      client.host_.find_first_of("/?#@ ") != std::string::npos) {
    return wrong();
  }
  if (!port.empty() && (!absl::ConsumePrefix(&port, ":") ||
                        !absl::SimpleAtoi(port, &client.port_) ||
                        client.port_ < 1 || client.port_ > 65535)) {
    return wrong();
  }
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
  httplib::SSLClient http(host_, port_);
  http.set_ca_cert_path(config_.ca_file.c_str());
  http.enable_server_certificate_verification(true);
  http.set_connection_timeout(5);
  http.set_read_timeout(30);
  http.set_write_timeout(30);
  SSL_CTX_set_min_proto_version(http.ssl_context(), TLS1_2_VERSION);

  httplib::Request request;
  request.method = method;
  request.path = path;
  request.headers = {{"Authorization", "Bearer " + config_.token},
                     {"Accept", "application/json"}};
  if (!json.empty()) {
    request.headers.emplace("Content-Type", "application/json");
    request.body = json;
  }
  std::string body;
  request.content_receiver = [&body](const char* data, size_t size, uint64_t,
                                     uint64_t) {
    if (body.size() + size > kLargestAnswer) return false;
    body.append(data, size);
    return true;
  };
  httplib::Response response;
  httplib::Error error = httplib::Error::Success;
  if (!http.send(request, response, error)) {
    return TransportError(error, config_);
  }
  if (!body.empty()) response.body = std::move(body);
  if (response.status / 100 != 2) return HttpError(response);
  return std::move(response.body);
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
