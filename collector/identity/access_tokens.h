#ifndef FOREWARN_COLLECTOR_IDENTITY_ACCESS_TOKENS_H_
#define FOREWARN_COLLECTOR_IDENTITY_ACCESS_TOKENS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "forewarn/v1/api.pb.h"
#include "protos/base/clock.h"

namespace forewarn::identity {

// A token as stored: SHA-256 of its 160-bit random secret, never the secret.
struct StoredToken {
  v1::TokenInfo info;
  std::vector<std::string> tags;
  std::string secret_hash;  // hexadecimal
};

// collector/store implements it. Thread-safe.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  virtual absl::Status AddToken(StoredToken& token) = 0;  // gives info.id
  virtual absl::StatusOr<std::vector<v1::TokenInfo>> ListTokens() = 0;
  virtual absl::StatusOr<StoredToken> FindToken(
      const std::string& secret_hash) = 0;  // kNotFound
  // Marks an enrolment token used, in one transaction: kFailedPrecondition
  // when it was used, revoked or has expired.
  virtual absl::Status UseToken(uint32_t id, const std::string& used_by,
                                absl::Time now) = 0;
  virtual absl::Status TouchToken(uint32_t id, absl::Time now) = 0;
  virtual absl::Status RevokeToken(uint32_t id, absl::Time now) = 0;
  virtual absl::Status AppendAudit(const std::string& actor,
                                   const std::string& verb,
                                   const std::string& object,
                                   const std::string& detail,
                                   absl::Time now) = 0;
};

// Who calls the API.
struct Principal {
  uint32_t token_id = 0;
  std::string name;
  std::string role;  // admin, technician, viewer
};

// What an enrolment token carries beside its secret, so that an endpoint
// needs nothing else: "fwe1." + base64url of "<secret>|<ca pin>|<https urls>".
struct EnrollmentSecret {
  std::string secret;
  std::string ca_pin;
  std::vector<std::string> urls;  // https://host:8460
};
std::string FormatEnrollmentToken(const EnrollmentSecret& secret);
// kInvalidArgument when it is none.
absl::StatusOr<EnrollmentSecret> ParseEnrollmentToken(absl::string_view token);

// Makes and checks tokens. Thread-safe.
class AccessTokens {
 public:
  // Both must outlive it. `urls`: where endpoints enrol.
  AccessTokens(TokenStore& store, base::Clock& clock, std::string ca_pin,
               std::vector<std::string> urls);

  // kInvalidArgument: unknown kind or role, name empty or over 128 bytes,
  // more than a year. Defaults: enroll 24 h, api 90 d.
  absl::StatusOr<v1::CreateTokenResponse> Create(
      const v1::CreateTokenRequest& request, absl::string_view actor);

  // An API token ("fwa1....") from an Authorization header. kUnauthenticated,
  // always after the same work, whatever was wrong.
  absl::StatusOr<Principal> Authenticate(absl::string_view secret);

  // Exactly one caller wins. Returns site and tags of the token.
  // kUnauthenticated for unknown, used, revoked or expired ones.
  absl::StatusOr<StoredToken> UseEnrollmentToken(
      absl::string_view secret, const std::string& endpoint_id);

  absl::StatusOr<std::vector<v1::TokenInfo>> List();
  absl::Status Revoke(uint32_t id, absl::string_view actor);

 private:
  TokenStore& store_;
  base::Clock& clock_;
  const std::string ca_pin_;
  const std::vector<std::string> urls_;
};

}  // namespace forewarn::identity

#endif  // FOREWARN_COLLECTOR_IDENTITY_ACCESS_TOKENS_H_
