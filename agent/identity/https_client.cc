#include "agent/identity/https_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/identity/openssl_handles.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "protos/base/status.h"
#include "protos/http/http_exchange.h"
#include "protos/http/url.h"
#include "protos/net/peer_name.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxReply = 256 << 10;
constexpr uint16_t kDefaultPort = 8460;

// What a handshake is judged by, and what came of it.
struct Judgement {
  TrustedCa trusted;
  std::string host;
  std::string refusal;
};

// The CA to trust: the one that is known, or the one among those presented
// that has the pin.
CertificateHandle FindAnchor(const TrustedCa& trusted, X509_STORE_CTX* chain) {
  if (!trusted.pem.empty()) return ParseCertificate(trusted.pem);
  STACK_OF(X509)* const presented = X509_STORE_CTX_get0_untrusted(chain);
  for (int i = 0; i < sk_X509_num(presented); ++i) {
    X509* const candidate = sk_X509_value(presented, i);
    if (PublicKeySha256(candidate) != trusted.pin) continue;
    if (X509_check_ca(candidate) != 1) continue;
    X509_up_ref(candidate);
    return CertificateHandle(candidate);
  }
  return nullptr;
}

// Verifies the presented chain with the anchor as the only trusted
// certificate: signatures, time, purpose and host name.
int Verify(const Judgement& judgement, X509* anchor, X509_STORE_CTX* chain) {
  const StoreHandle store(X509_STORE_new());
  const StoreContextHandle check(X509_STORE_CTX_new());
  if (store == nullptr || check == nullptr ||
      X509_STORE_add_cert(store.get(), anchor) != 1 ||
      X509_STORE_CTX_init(check.get(), store.get(),
                          X509_STORE_CTX_get0_cert(chain),
                          X509_STORE_CTX_get0_untrusted(chain)) != 1 ||
      X509_STORE_CTX_set_purpose(check.get(), X509_PURPOSE_SSL_SERVER) != 1) {
    return X509_V_ERR_UNSPECIFIED;
  }
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(check.get());
  if (!net::ExpectPeer(rules, judgement.host)) return X509_V_ERR_UNSPECIFIED;
  if (X509_verify_cert(check.get()) == 1) return X509_V_OK;
  const int error = X509_STORE_CTX_get_error(check.get());
  return error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
}

// OpenSSL calls it instead of its own chain building, so that no other store
// of trust on this machine plays a part.
int JudgeChain(X509_STORE_CTX* chain, void* argument) {
  auto& judgement = *static_cast<Judgement*>(argument);
  const CertificateHandle anchor = FindAnchor(judgement.trusted, chain);
  const int error = anchor == nullptr ? X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN
                                      : Verify(judgement, anchor.get(), chain);
  if (anchor == nullptr) {
    judgement.refusal =
        "it does not present the CA that the token or the enrolment names";
  } else if (error != X509_V_OK) {
    judgement.refusal = X509_verify_cert_error_string(error);
  }
  ERR_clear_error();
  X509_STORE_CTX_set_error(chain, error);
  return error == X509_V_OK ? 1 : 0;
}

absl::StatusOr<HttpReply> Exchange(const net::HostPort& server,
                                   const std::string& url,
                                   const std::string& path,
                                   const std::string& body,
                                   absl::Duration timeout,
                                   Judgement& judgement) {
  http::Request request;
  request.host = server.host;
  request.port = server.port;
  request.method = "POST";
  request.target = path;
  request.headers = {{"Content-Type", "application/json"},
                     {"Accept", "application/json, application/problem+json"}};
  request.body = body;
  request.timeout = timeout;
  request.max_body_bytes = kMaxReply;
  request.prepare_tls = [&judgement](SSL_CTX* context) {
    SSL_CTX_set_cert_verify_callback(context, JudgeChain, &judgement);
  };
  absl::StatusOr<http::Reply> reply = http::Exchange().Run(request);
  if (!judgement.refusal.empty()) {
    return absl::UnauthenticatedError(
        absl::StrCat("connect to ", url,
                     ": the server is not trusted: ", judgement.refusal));
  }
  if (!reply.ok()) {
    return absl::UnavailableError(
        absl::StrCat("connect to ", url, ": ", reply.status().message()));
  }
  if (reply->truncated) {
    return absl::UnavailableError(absl::StrCat(
        "connect to ", url, ": the answer is over ", kMaxReply, " bytes"));
  }
  return HttpReply{.status = reply->status,
                   .content_type = std::move(reply->content_type),
                   .body = std::move(reply->body)};
}

absl::StatusCode CodeOf(int http_status) {
  switch (http_status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 409:
      return absl::StatusCode::kFailedPrecondition;
    case 429:
      return absl::StatusCode::kResourceExhausted;
    default:
      return http_status >= 500 ? absl::StatusCode::kUnavailable
                                : absl::StatusCode::kUnknown;
  }
}

std::string TextField(const google::protobuf::Struct& object,
                      const std::string& key) {
  const auto it = object.fields().find(key);
  return it == object.fields().end() ? "" : it->second.string_value();
}

}  // namespace

absl::StatusOr<HttpReply> PinnedHttpsClient::PostJson(
    const std::string& url, const std::string& path, const std::string& body,
    const TrustedCa& trusted) {
  FOREWARN_ASSIGN_OR_RETURN(const net::HostPort server,
                            http::ParseServerUrl(url, kDefaultPort));
  if (trusted.pem.empty() == trusted.pin.empty()) {
    return absl::InternalError("post: exactly one of CA and pin is needed");
  }
  Judgement judgement{.trusted = trusted, .host = server.host, .refusal = {}};
  return Exchange(server, url, path, body, timeout_, judgement);
}

absl::Status StatusOfReply(const HttpReply& reply, absl::string_view deed) {
  if (reply.status >= 200 && reply.status < 300) return absl::OkStatus();
  std::string why = absl::StrCat("HTTP status ", reply.status);
  google::protobuf::Struct problem;
  if (absl::StartsWith(reply.content_type, "application/problem+json") &&
      google::protobuf::util::JsonStringToMessage(reply.body, &problem).ok()) {
    const std::string title = TextField(problem, "title");
    const std::string detail = TextField(problem, "detail");
    why = absl::StrCat(title, title.empty() || detail.empty() ? "" : ": ",
                       detail, " (", why, ")");
  }
  return absl::Status(CodeOf(reply.status), absl::StrCat(deed, ": ", why));
}

}  // namespace forewarn::agent
