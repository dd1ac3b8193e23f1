#ifndef FOREWARN_COLLECTOR_IDENTITY_CERTIFICATES_H_
#define FOREWARN_COLLECTOR_IDENTITY_CERTIFICATES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/identity/openssl_handles.h"

namespace forewarn::identity {

// The steps a certificate authority is made of, over OpenSSL. Only
// certificate_authority.cc and tests use them.

// "deed: what OpenSSL says", and its error queue emptied.
absl::Status OpenSslError(absl::StatusCode code, absl::string_view deed);

absl::StatusOr<OwnedKey> MakeP256Key();

// PEM of at most 16 KiB, never a password prompt. kInvalidArgument.
absl::StatusOr<OwnedCertificate> ParseCertificate(absl::string_view pem);
absl::StatusOr<OwnedRequest> ParseRequest(absl::string_view pem);
absl::StatusOr<OwnedKey> ParsePrivateKey(absl::string_view pem);
absl::StatusOr<std::string> CertificatePem(X509* certificate);
absl::StatusOr<std::string> PrivateKeyPem(EVP_PKEY* key);  // PKCS #8, plain

// ECDSA on P-256 or Ed25519.
bool IsAcceptedKey(const EVP_PKEY* key);

struct CertificateProfile {
  enum class Use { kRoot, kEndpoint, kServer };
  Use use = Use::kEndpoint;
  std::string common_name;
  std::vector<std::string> uris;
  std::vector<std::string> names;  // DNS names and IP addresses
  absl::Time not_before;
  absl::Time not_after;
};

// A version 3 certificate for `subject_key` with a random serial, signed by
// `issuer_key`. `issuer` is nullptr for a root, which signs itself.
// kInvalidArgument for a name that is neither a DNS name nor an IP address.
absl::StatusOr<OwnedCertificate> MakeCertificate(
    const CertificateProfile& profile, EVP_PKEY* subject_key, X509* issuer,
    EVP_PKEY* issuer_key);

std::string SerialOf(const X509* certificate);  // hexadecimal
absl::StatusOr<absl::Time> NotBefore(const X509* certificate);
absl::StatusOr<absl::Time> NotAfter(const X509* certificate);
// Subject alternative names, sorted: DNS names and addresses as written, URIs.
std::vector<std::string> NamesOf(X509* certificate);
std::vector<std::string> UrisOf(X509* certificate);
// An address as people write it; empty for a length that is no address.
std::string ShowIpAddress(const ASN1_OCTET_STRING* address);
// SHA-256 of the SubjectPublicKeyInfo, hexadecimal.
std::string PinOf(const X509* certificate);

// Whether `root` alone vouches for `certificate` in this use at that time.
absl::Status CheckIssued(X509* certificate, X509* root,
                         CertificateProfile::Use use, absl::Time at);

// Whether `signature` over `data` is by `key`: SHA-256 with ECDSA, or Ed25519.
bool IsSignature(EVP_PKEY* key, absl::string_view data,
                 absl::string_view signature);

}  // namespace forewarn::identity

#endif  // FOREWARN_COLLECTOR_IDENTITY_CERTIFICATES_H_
