#include "collector/identity/access_tokens.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"
#include "protos/wire/proto_time.h"

namespace forewarn::identity {
namespace {

constexpr char kApiPrefix[] = "fwa1.";
constexpr char kEnrollmentPrefix[] = "fwe1.";
constexpr size_t kSecretBytes = 20;   // 160 bits
constexpr size_t kSecretLength = 27;  // of them in base64url
constexpr size_t kLargestToken = 4096;
constexpr size_t kLongestName = 128;
constexpr size_t kMostTags = 64;
constexpr uint32_t kMostHours = 366 * 24;
constexpr uint32_t kApiHours = 90 * 24;
constexpr uint32_t kEnrollmentHours = 24;
// Each request would otherwise write to the database.
constexpr absl::Duration kTouchEvery = absl::Minutes(1);

// The secret's text is hashed, not its bytes: base64url has several texts for
// one value, and only the one that was shown shall do.
std::string Hash(absl::string_view secret) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
         digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

bool SameHash(const std::string& a, const std::string& b) {
  return a.size() == b.size() &&
         CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

absl::StatusOr<std::string> DrawSecret() {
  unsigned char bytes[kSecretBytes];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
    return absl::InternalError("make a token: no random numbers");
  }
  std::string secret = absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(bytes), sizeof(bytes)));
  OPENSSL_cleanse(bytes, sizeof(bytes));
  return secret;
}

bool IsSecret(absl::string_view text) {
  return text.size() == kSecretLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '-' || c == '_';
         });
}

bool IsPlainText(absl::string_view text) {
  return text.size() <= kLongestName &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_iscntrl(static_cast<unsigned char>(c));
         });
}

absl::Status CheckRequest(const v1::CreateTokenRequest& request) {
  const auto wrong = [](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("create a token: ", why));
  };
  const bool api = request.kind() == "api";
  if (!api && request.kind() != "enroll") {
    return wrong("kind must be enroll or api");
  }
  if (api && request.role() != "admin" && request.role() != "technician" &&
      request.role() != "viewer") {
    return wrong("role must be admin, technician or viewer");
  }
  if (!api && !request.role().empty()) {
    return wrong("an enrolment token has no role");
  }
  if (request.name().empty() || !IsPlainText(request.name())) {
    return wrong("name must have 1 to 128 bytes without control characters");
  }
  if (!IsPlainText(request.site())) {
    return wrong("site must have at most 128 bytes, no control characters");
  }
  if (request.tags_size() > static_cast<int>(kMostTags) ||
      !std::all_of(request.tags().begin(), request.tags().end(), IsPlainText)) {
    return wrong("at most 64 tags of at most 128 bytes each");
  }
  if (request.valid_hours() > kMostHours) {
    return wrong("it must not be valid for more than a year");
  }
  return absl::OkStatus();
}

absl::Status UnknownToken() {
  return absl::UnauthenticatedError(
      "the token is unknown, revoked, used or expired");
}

bool IsStanding(const v1::TokenInfo& info, absl::Time now) {
  return !info.has_revoked_at() && now < wire::ToTime(info.expires_at());
}

}  // namespace

std::string FormatEnrollmentToken(const EnrollmentSecret& secret) {
  return absl::StrCat(kEnrollmentPrefix,
                      absl::WebSafeBase64Escape(
                          absl::StrCat(secret.secret, "|", secret.ca_pin, "|",
                                       absl::StrJoin(secret.urls, ","))));
}

absl::StatusOr<EnrollmentSecret> ParseEnrollmentToken(absl::string_view token) {
  const absl::Status wrong =
      absl::InvalidArgumentError("this is no enrolment token (fwe1....)");
  token = absl::StripAsciiWhitespace(token);
  std::string inside;
  if (token.size() > kLargestToken ||
      !absl::ConsumePrefix(&token, kEnrollmentPrefix) ||
      !absl::WebSafeBase64Unescape(token, &inside)) {
    return wrong;
  }
  const std::vector<std::string> parts = absl::StrSplit(inside, '|');
  if (parts.size() != 3 || !IsSecret(parts[0]) || parts[1].size() != 64 ||
      !std::all_of(parts[1].begin(), parts[1].end(), [](char c) {
        return absl::ascii_isxdigit(static_cast<unsigned char>(c));
      })) {
    return wrong;
  }
  EnrollmentSecret secret{.secret = parts[0],
                          .ca_pin = absl::AsciiStrToLower(parts[1]),
                          .urls = absl::StrSplit(parts[2], ',')};
  for (const std::string& url : secret.urls) {
    if (!absl::StartsWith(url, "https://") || !IsPlainText(url)) return wrong;
  }
  return secret;
}

AccessTokens::AccessTokens(TokenStore& store, base::Clock& clock,
                           std::string ca_pin, std::vector<std::string> urls)
    : store_(store),
      clock_(clock),
      ca_pin_(std::move(ca_pin)),
      urls_(std::move(urls)) {}

absl::StatusOr<v1::CreateTokenResponse> AccessTokens::Create(
    const v1::CreateTokenRequest& request, absl::string_view actor) {
  FOREWARN_RETURN_IF_ERROR(CheckRequest(request));
  FOREWARN_ASSIGN_OR_RETURN(const std::string secret, DrawSecret());
  const bool api = request.kind() == "api";
  const absl::Time now = clock_.Now();
  const uint32_t hours = request.valid_hours() > 0 ? request.valid_hours()
                         : api                     ? kApiHours
                                                   : kEnrollmentHours;
  StoredToken token;
  token.info.set_kind(request.kind());
  token.info.set_name(request.name());
  token.info.set_role(request.role());
  token.info.set_site(request.site());
  *token.info.mutable_created_at() = wire::ToStamp(now);
  *token.info.mutable_expires_at() = wire::ToStamp(now + absl::Hours(hours));
  token.tags.assign(request.tags().begin(), request.tags().end());
  token.secret_hash = Hash(secret);
  FOREWARN_RETURN_IF_ERROR(
      base::Annotate(store_.AddToken(token), "create a token"));
  // Without its audit line the token must not leave: nobody has seen its
  // secret yet, so an error here makes it useless.
  FOREWARN_RETURN_IF_ERROR(store_.AppendAudit(
      std::string(actor), "token.create",
      absl::StrCat("token/", token.info.id()),
      absl::StrCat(request.kind(), " ", request.name(),
                   api ? absl::StrCat(" role ", request.role()) : ""),
      now));
  v1::CreateTokenResponse response;
  *response.mutable_token() = token.info;
  response.set_secret(
      api ? absl::StrCat(kApiPrefix, secret)
          : FormatEnrollmentToken(
                {.secret = secret, .ca_pin = ca_pin_, .urls = urls_}));
  return response;
}

absl::StatusOr<Principal> AccessTokens::Authenticate(absl::string_view secret) {
  const bool has_form =
      absl::ConsumePrefix(&secret, kApiPrefix) && IsSecret(secret);
  // The look-up is made even for nonsense, so that time tells nothing.
  const std::string hash = Hash(secret.substr(0, kLargestToken));
  const absl::StatusOr<StoredToken> found = store_.FindToken(hash);
  if (!found.ok() && !absl::IsNotFound(found.status())) {
    return base::Annotate(found.status(), "look up a token");
  }
  const absl::Time now = clock_.Now();
  if (!found.ok() || !has_form || !SameHash(found->secret_hash, hash) ||
      found->info.kind() != "api" || !IsStanding(found->info, now)) {
    return UnknownToken();
  }
  const v1::TokenInfo& info = found->info;
  if (!info.has_last_used_at() ||
      now - wire::ToTime(info.last_used_at()) >= kTouchEvery) {
    if (absl::Status touched = store_.TouchToken(info.id(), now);
        !touched.ok()) {
      base::Log(base::LogLevel::kWarning, "cannot note a token's use",
                {{"token", info.id()}, {"reason", base::ToLine(touched)}});
    }
  }
  return Principal{
      .token_id = info.id(), .name = info.name(), .role = info.role()};
}

absl::StatusOr<StoredToken> AccessTokens::UseEnrollmentToken(
    absl::string_view secret, const std::string& endpoint_id) {
  // Endpoints send the whole token, or only the secret inside it.
  secret = absl::StripAsciiWhitespace(secret.substr(0, kLargestToken + 1));
  const absl::StatusOr<EnrollmentSecret> whole = ParseEnrollmentToken(secret);
  if (whole.ok()) secret = whole->secret;
  const std::string hash = Hash(secret);
  const absl::StatusOr<StoredToken> found = store_.FindToken(hash);
  if (!found.ok() && !absl::IsNotFound(found.status())) {
    return base::Annotate(found.status(), "look up a token");
  }
  const absl::Time now = clock_.Now();
  if (!found.ok() || !IsSecret(secret) || !SameHash(found->secret_hash, hash) ||
      found->info.kind() != "enroll" || !IsStanding(found->info, now)) {
    return UnknownToken();
  }
  const absl::Status used = store_.UseToken(found->info.id(), endpoint_id, now);
  if (absl::IsFailedPrecondition(used) || absl::IsNotFound(used)) {
    return UnknownToken();
  }
  FOREWARN_RETURN_IF_ERROR(base::Annotate(used, "use a token"));
  if (absl::Status audited = store_.AppendAudit(
          absl::StrCat("endpoint/", endpoint_id), "token.use",
          absl::StrCat("token/", found->info.id()), found->info.name(), now);
      !audited.ok()) {
    base::Log(base::LogLevel::kError, "cannot write to the audit log",
              {{"token", found->info.id()}, {"reason", base::ToLine(audited)}});
  }
  return *found;
}

absl::StatusOr<std::vector<v1::TokenInfo>> AccessTokens::List() {
  return store_.ListTokens();
}

absl::Status AccessTokens::Revoke(uint32_t id, absl::string_view actor) {
  const absl::Time now = clock_.Now();
  FOREWARN_RETURN_IF_ERROR(base::Annotate(store_.RevokeToken(id, now),
                                          absl::StrCat("revoke token ", id)));
  return store_.AppendAudit(std::string(actor), "token.revoke",
                            absl::StrCat("token/", id), "", now);
}

}  // namespace forewarn::identity
