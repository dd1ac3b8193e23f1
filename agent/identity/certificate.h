#ifndef FOREWARN_AGENT_IDENTITY_CERTIFICATE_H_
#define FOREWARN_AGENT_IDENTITY_CERTIFICATE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Keys and certificates in PEM, over OpenSSL; its types end here.
namespace forewarn::agent {

// A new ECDSA P-256 key.
absl::StatusOr<std::string> MakeKeyPem();

// A signing request for the key. Subject: the collector ignores it.
absl::StatusOr<std::string> MakeCsrPem(absl::string_view key_pem,
                                       absl::string_view common_name);

// ECDSA over SHA-256 of `text`, DER.
absl::StatusOr<std::string> SignText(absl::string_view key_pem,
                                     absl::string_view text);

struct CertificateFacts {
  std::string subject;
  std::string endpoint_id;  // SAN URI forewarn://endpoint/<id>, else empty
  absl::Time not_before;
  absl::Time not_after;
  std::string public_key_sha256;  // of SubjectPublicKeyInfo, lower-case hex
  bool is_ca = false;
};
// Of the first certificate in the PEM text.
absl::StatusOr<CertificateFacts> ReadCertificate(absl::string_view pem);

// kFailedPrecondition unless the key is the certificate's, and the
// certificate was signed by the CA. Time is not looked at.
absl::Status CheckIssued(absl::string_view certificate_pem,
                         absl::string_view key_pem, absl::string_view ca_pem);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_IDENTITY_CERTIFICATE_H_
