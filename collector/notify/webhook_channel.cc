#include "collector/notify/webhook_channel.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "collector/notify/address_guard.h"
#include "collector/notify/curl_transfer.h"
#include "collector/notify/secret_file.h"
#include "protos/base/status.h"

namespace forewarn::notify {
namespace {

constexpr size_t kShortestKey = 16;  // chosen: 128 bits
constexpr size_t kLargestResponse = 64 * 1024;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using OwnedUrl = std::unique_ptr<CURLU, FreeUrl>;

std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  std::string value(text);
  curl_free(text);
  return value;
}

// Says whether the host is a loopback address.
absl::StatusOr<bool> CheckUrl(const std::string& text, bool allow_private) {
  const OwnedUrl url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return absl::InvalidArgumentError("url: this is no URL");
  }
  const std::string scheme = Part(url.get(), CURLUPART_SCHEME);
  const std::string host = Part(url.get(), CURLUPART_HOST);
  if (!Part(url.get(), CURLUPART_USER).empty() ||
      !Part(url.get(), CURLUPART_PASSWORD).empty()) {
    return absl::InvalidArgumentError(
        "url: no user or password in it; receivers check the signature");
  }
  // libcurl reads 2130706433 and 0x7f.1 as addresses; who writes them hides
  // one.
  if (host.empty() || !absl::StrContains(absl::AsciiStrToLower(text),
                                         absl::AsciiStrToLower(host))) {
    return absl::InvalidArgumentError(
        "url: write the address of its host in the usual form");
  }
  const bool loopback = IsLoopbackName(host);
  if (scheme != "https" && !(scheme == "http" && (loopback || allow_private))) {
    return absl::InvalidArgumentError(
        "url: https only; http needs a loopback address or "
        "allow_private_addresses");
  }
  return loopback;
}

size_t CountResponse(char*, size_t size, size_t count, void* total) {
  size_t& received = *static_cast<size_t*>(total);
  received += size * count;
  return received > kLargestResponse ? 0 : size * count;
}

absl::Status Judge(const CurlTransfer& transfer) {
  const long code = transfer.ResponseCode();
  const std::string said = absl::StrCat("the receiver answered ", code);
  if (code >= 200 && code < 300) return absl::OkStatus();
  if (code == 408 || code == 425 || code == 429 || code >= 500) {
    absl::Status status = absl::UnavailableError(said);
    curl_off_t seconds = 0;
    if (curl_easy_getinfo(transfer.handle(), CURLINFO_RETRY_AFTER, &seconds) ==
            CURLE_OK &&
        seconds > 0) {
      status = WithRetryAfter(std::move(status), absl::Seconds(seconds));
    }
    return status;
  }
  if (code >= 300 && code < 400) {
    return absl::PermissionDeniedError(
        absl::StrCat(said, "; redirects are not followed"));
  }
  if (code == 401 || code == 403 || code == 404 || code == 405 || code == 407) {
    return absl::PermissionDeniedError(said);
  }
  return absl::InvalidArgumentError(said);
}

}  // namespace

absl::StatusOr<std::string> WebhookKey(absl::string_view secret) {
  std::string key(secret);
  if (absl::ConsumePrefix(&secret, "whsec_") &&
      !absl::Base64Unescape(secret, &key)) {
    return absl::InvalidArgumentError("the secret after whsec_ is no base64");
  }
  if (key.size() < kShortestKey) {
    return absl::InvalidArgumentError("the secret is shorter than 16 bytes");
  }
  return key;
}

std::string WebhookSignature(absl::string_view key, absl::string_view id,
                             absl::string_view timestamp,
                             absl::string_view body) {
  const std::string signed_text = absl::StrCat(id, ".", timestamp, ".", body);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(signed_text.data()),
       signed_text.size(), mac, &size);
  return absl::StrCat("v1,", absl::Base64Escape(absl::string_view(
                                 reinterpret_cast<const char*>(mac), size)));
}

absl::StatusOr<std::unique_ptr<WebhookChannel>> WebhookChannel::Create(
    const v1::WebhookConfig& config, base::Clock& clock,
    absl::Duration timeout) {
  const std::string deed = absl::StrCat("webhook ", config.name());
  const absl::StatusOr<bool> loopback =
      CheckUrl(config.url(), config.allow_private_addresses());
  FOREWARN_RETURN_IF_ERROR(base::Annotate(loopback.status(), deed));
  std::string key;
  if (!config.secret_file().empty()) {
    const absl::StatusOr<std::string> secret =
        ReadSecretFile(config.secret_file());
    FOREWARN_RETURN_IF_ERROR(base::Annotate(secret.status(), deed));
    absl::StatusOr<std::string> parsed = WebhookKey(*secret);
    FOREWARN_RETURN_IF_ERROR(base::Annotate(
        parsed.status(), absl::StrCat(deed, ": ", config.secret_file())));
    key = *std::move(parsed);
  }
  return std::unique_ptr<WebhookChannel>(
      new WebhookChannel(config, std::move(key), *loopback, clock, timeout));
}

WebhookChannel::WebhookChannel(const v1::WebhookConfig& config, std::string key,
                               bool loopback, base::Clock& clock,
                               absl::Duration timeout)
    : name_(absl::StrCat("webhook:", config.name())),
      url_(config.url()),
      ca_file_(config.ca_file()),
      key_(std::move(key)),
      allow_private_(config.allow_private_addresses()),
      allow_loopback_(loopback),
      clock_(clock),
      timeout_(timeout) {}

absl::Status WebhookChannel::Send(const Message& message) {
  FOREWARN_ASSIGN_OR_RETURN(const std::string body, CloudEventJson(message));
  const std::string& id = message.notification.idempotency_key();
  const std::string timestamp = absl::StrCat(absl::ToUnixSeconds(clock_.Now()));
  CurlList headers;
  headers.Append("Content-Type: application/cloudevents+json; charset=utf-8");
  headers.Append("User-Agent: Forewarn");
  headers.Append("Expect:");
  headers.Append(absl::StrCat("webhook-id: ", id));
  headers.Append(absl::StrCat("webhook-timestamp: ", timestamp));
  if (!key_.empty()) {
    headers.Append(absl::StrCat("webhook-signature: ",
                                WebhookSignature(key_, id, timestamp, body)));
  }

  CurlTransfer transfer(cancelled_, timeout_);
  AddressGuard guard(allow_private_, allow_loopback_);
  size_t received = 0;
  if (CURL* curl = transfer.handle(); curl != nullptr) {
    guard.Watch(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, CountResponse);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
    if (!ca_file_.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file_.c_str());
      curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    }
  }
  const absl::Status done = transfer.Perform();
  if (guard.refused() && !done.ok()) {
    return absl::PermissionDeniedError(
        "connect: its host has a private address; set "
        "allow_private_addresses if that is meant");
  }
  // A receiver that talks too much has said its status first.
  if (received > kLargestResponse && transfer.result() == CURLE_WRITE_ERROR) {
    return Judge(transfer);
  }
  FOREWARN_RETURN_IF_ERROR(done);
  return Judge(transfer);
}

}  // namespace forewarn::notify
