#ifndef FOREWARN_AGENT_SOURCES_CERTIFICATE_EXPIRY_H_
#define FOREWARN_AGENT_SOURCES_CERTIFICATE_EXPIRY_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct x509_st;  // OpenSSL's X509

namespace forewarn::agent {

struct CertificateExpiry {
  std::string subject;  // its common name, else its first DNS name; cleaned
  absl::Time expires;
};

// The certificate of a PEM file (or a single one in DER) that expires first,
// of the first 100. kInvalidArgument when there is none or one is damaged.
absl::StatusOr<CertificateExpiry> EarliestExpiry(absl::string_view text);

// Nothing when the certificate's time makes no sense.
std::optional<absl::Time> ExpiryOf(const x509_st* certificate);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_CERTIFICATE_EXPIRY_H_
