#ifndef FOREWARN_AGENT_IDENTITY_ENROLLMENT_TOKEN_H_
#define FOREWARN_AGENT_IDENTITY_ENROLLMENT_TOKEN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace forewarn::agent {

// What "fwe1." + base64url("<secret>|<ca pin>|<url>,<url>") carries: all that
// an endpoint needs to find its collector and to know that it is the right
// one.
struct EnrollmentToken {
  std::string secret;
  std::string ca_pin;  // SHA-256 of the CA's SubjectPublicKeyInfo, hex
  std::vector<std::string> urls;  // https://host:port
};

// kInvalidArgument, without the token in the message, for anything else.
// White space around it is forgiven.
absl::StatusOr<EnrollmentToken> ParseEnrollmentToken(absl::string_view text);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_IDENTITY_ENROLLMENT_TOKEN_H_
