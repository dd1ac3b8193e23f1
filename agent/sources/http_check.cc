// The http check of probe_check.h, apart because of its heavy header; the
// exceptions of cpp-httplib end here.

#include <httplib.h>
#include <openssl/ssl.h>

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "agent/sources/certificate_expiry.h"
#include "agent/sources/probe_check.h"
#include "protos/base/mutex.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxBodyBytes = 1 << 20;  // enough to see that it is served

struct Url {
  std::string origin;  // https://host:port
  std::string path;
};

bool SplitUrl(const std::string& url, Url& out) {
  absl::string_view rest = url;
  if (!absl::ConsumePrefix(&rest, "http://") &&
      !absl::ConsumePrefix(&rest, "https://")) {
    return false;
  }
  const size_t end = rest.find_first_of("/?#");
  const absl::string_view authority = rest.substr(0, end);
  if (authority.empty() || absl::StrContains(authority, "@")) return false;
  out.origin = url.substr(0, url.size() - rest.size() + authority.size());
  rest.remove_prefix(authority.size());
  rest = rest.substr(0, rest.find('#'));
  out.path = absl::StrCat(absl::StartsWith(rest, "/") ? "" : "/", rest);
  return true;
}

// The certificate is kept when the handshake is done, that is before it is
// verified: an expired one has an expiry too.
void KeepExpiry(const SSL* ssl, int where, int /*result*/) {
  if ((where & SSL_CB_HANDSHAKE_DONE) == 0) return;
  auto* result =
      static_cast<ProbeResult*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  X509* certificate = SSL_get1_peer_certificate(ssl);
  if (certificate == nullptr) return;
  result->certificate_expires = ExpiryOf(certificate);
  X509_free(certificate);
}

class HttpCheck final : public ProbeCheck {
 public:
  HttpCheck(std::string url, absl::Duration timeout)
      : url_(std::move(url)), timeout_(timeout) {}

  ProbeResult Run() override {
    ProbeResult result;
    try {
      Get(result);
    } catch (const std::exception& error) {
      result.status = absl::InvalidArgumentError(
          absl::StrCat("get ", url_, ": ", error.what()));
    }
    base::MutexLock lock(&mutex_);
    client_ = nullptr;
    return result;
  }

  void Cancel() override {
    base::MutexLock lock(&mutex_);
    is_cancelled_ = true;
    if (client_ != nullptr) client_->stop();
  }

 private:
  void Get(ProbeResult& result) {
    Url url;
    if (!SplitUrl(url_, url)) {
      result.status = absl::InvalidArgumentError(
          absl::StrCat("get ", url_, ": not an http or https URL"));
      return;
    }
    const auto begin = std::chrono::steady_clock::now();
    const auto timeout = absl::ToChronoMicroseconds(timeout_);
    // Two lifetimes: this call's and Cancel's.
    auto client = std::make_shared<httplib::Client>(url.origin);
    if (!client->is_valid()) {
      result.status = absl::InvalidArgumentError(
          absl::StrCat("get ", url_, ": not a URL that can be asked"));
      return;
    }
    client->set_connection_timeout(timeout);
    client->set_read_timeout(timeout);
    client->set_write_timeout(timeout);
    if (SSL_CTX* context = client->ssl_context(); context != nullptr) {
      SSL_CTX_set_app_data(context, &result);
      SSL_CTX_set_info_callback(context, KeepExpiry);
    }
    {
      base::MutexLock lock(&mutex_);
      if (is_cancelled_) {
        result.status = absl::CancelledError(absl::StrCat("get ", url_));
        return;
      }
      client_ = client;
    }
    int status = 0;
    size_t body_bytes = 0;
    const httplib::Result answer = client->Get(
        url.path, {{"User-Agent", "forewarn-agent"}},
        [&](const httplib::Response& head) {
          status = head.status;
          return true;
        },
        [&](const char* /*data*/, size_t length) {
          body_bytes += length;
          return body_bytes <= kMaxBodyBytes &&
                 std::chrono::steady_clock::now() - begin < timeout;
        });
    result.duration =
        absl::FromChrono(std::chrono::steady_clock::now() - begin);
    if (status != 0) result.http_status = status;
    const bool has_seen_enough = body_bytes > kMaxBodyBytes;
    if (!answer && !has_seen_enough) {
      result.status = absl::UnavailableError(
          absl::StrCat("get ", url_, ": ", httplib::to_string(answer.error())));
    } else if (status >= 400) {
      result.status = absl::FailedPreconditionError(
          absl::StrCat("get ", url_, ": status ", status));
    }
  }

  const std::string url_;
  const absl::Duration timeout_;
  base::Mutex mutex_;
  std::shared_ptr<httplib::Client> client_ ABSL_GUARDED_BY(mutex_);
  bool is_cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<ProbeCheck> MakeHttpCheck(const std::string& url,
                                          absl::Duration timeout) {
  return std::make_unique<HttpCheck>(url, timeout);
}

}  // namespace forewarn::agent
