// The http check of probe_check.h.

#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/sources/certificate_expiry.h"
#include "agent/sources/probe_check.h"
#include "protos/http/http_exchange.h"
#include "protos/http/url.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxBodyBytes = 1 << 20;  // enough to see that it is served

// The place of the ProbeResult in a context; place 0 is Asio's.
int ResultIndex() {
  static const int index =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Sees the server's certificate whatever the verdict on it: an expired one
// has an expiry too. Leaves the verdict as it is.
int KeepExpiry(int verdict, X509_STORE_CTX* chain) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* result = static_cast<ProbeResult*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ResultIndex()));
  if (X509* const certificate = X509_STORE_CTX_get0_cert(chain)) {
    result->certificate_expires = ExpiryOf(certificate);
  }
  return verdict;
}

class HttpCheck final : public ProbeCheck {
 public:
  HttpCheck(std::string url, absl::Duration timeout)
      : url_(std::move(url)), timeout_(timeout) {}

  ProbeResult Run() override {
    ProbeResult result;
    const absl::StatusOr<http::Url> url = http::ParseUrl(url_);
    if (!url.ok()) {
      result.status = absl::InvalidArgumentError(
          absl::StrCat("get ", url_, ": not an http or https URL"));
      return result;
    }
    http::Request request;
    request.tls = url->tls;
    request.host = url->server.host;
    request.port = url->server.port;
    request.target = url->target;
    request.headers = {{"User-Agent", "forewarn-agent"}};
    request.timeout = timeout_;
    request.max_body_bytes = kMaxBodyBytes;
    request.prepare_tls = [&result](SSL_CTX* context) {
      SSL_CTX_set_ex_data(context, ResultIndex(), &result);
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, KeepExpiry);
    };
    const auto begin = std::chrono::steady_clock::now();
    const absl::StatusOr<http::Reply> reply = exchange_.Run(request);
    result.duration =
        absl::FromChrono(std::chrono::steady_clock::now() - begin);
    if (!reply.ok()) {
      result.status = absl::Status(
          reply.status().code(),
          absl::StrCat("get ", url_, ": ", reply.status().message()));
      return result;
    }
    result.http_status = reply->status;
    if (reply->status >= 400) {
      result.status = absl::FailedPreconditionError(
          absl::StrCat("get ", url_, ": status ", reply->status));
    }
    return result;
  }

  void Cancel() override { exchange_.Cancel(); }

 private:
  const std::string url_;
  const absl::Duration timeout_;
  http::Exchange exchange_;
};

}  // namespace

std::unique_ptr<ProbeCheck> MakeHttpCheck(const std::string& url,
                                          absl::Duration timeout) {
  return std::make_unique<HttpCheck>(url, timeout);
}

}  // namespace forewarn::agent
