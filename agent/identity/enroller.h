#ifndef FOREWARN_AGENT_IDENTITY_ENROLLER_H_
#define FOREWARN_AGENT_IDENTITY_ENROLLER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/identity/https_client.h"
#include "agent/identity/key_store.h"
#include "forewarn/v1/enrollment.pb.h"

namespace forewarn::agent {

// Makes a key, has it certified by the collector that `token` names, and
// stores the result. Tries the token's URLs in order until one answers. The
// key never leaves the endpoint; the CA that comes back must have the token's
// pin.
absl::StatusOr<Identity> Enroll(absl::string_view token,
                                const v1::EndpointFacts& facts,
                                HttpsClient& client, KeyStore& store);

// Has a new key certified, proved by the old one: also when the certificate
// has expired. kUnauthenticated when the collector does not know it any more.
absl::StatusOr<Identity> Renew(HttpsClient& client, KeyStore& store);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_IDENTITY_ENROLLER_H_
