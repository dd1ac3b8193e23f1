#ifndef FOREWARN_COLLECTOR_IDENTITY_CERTIFICATE_AUTHORITY_H_
#define FOREWARN_COLLECTOR_IDENTITY_CERTIFICATE_AUTHORITY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protos/base/clock.h"

namespace forewarn::identity {

struct IssuedCertificate {
  std::string pem;
  std::string serial;  // hexadecimal
  absl::Time not_after;
};

// What a valid endpoint certificate says.
struct EndpointIdentity {
  std::string endpoint_id;  // from SAN URI forewarn://endpoint/<uuid>
  std::string serial;
  absl::Time not_after;
};

// The collector's own CA: ECDSA P-256, key in a 0600 file of its folder.
// Thread-safe.
class CertificateAuthority {
 public:
  // Opens `directory`, or makes key and root certificate (10 years) there
  // when it is empty. kFailedPrecondition when the key file is readable by
  // others. `clock` must outlive it.
  static absl::StatusOr<std::unique_ptr<CertificateAuthority>> OpenOrCreate(
      const std::string& directory, base::Clock& clock);
  ~CertificateAuthority();

  const std::string& ca_pem() const;
  // SHA-256 of the root's SubjectPublicKeyInfo, hexadecimal; in every token.
  const std::string& pin() const;

  // Signs for 7 days with clientAuth, ignoring subject and extensions of the
  // CSR. kInvalidArgument: not PEM, over 16 KiB, bad self-signature, any key
  // but ECDSA P-256 or Ed25519.
  absl::StatusOr<IssuedCertificate> SignEndpoint(
      absl::string_view csr_pem, absl::string_view endpoint_id) const;

  // Certificate and key for this collector's own listeners, valid 90 days,
  // SANs for `names` (DNS or IP); kept in the folder as server.pem (with the
  // root behind it) and server-key.pem (0600), made anew when the names
  // changed or half its life is over.
  struct ServerFiles {
    std::string certificate_path;
    std::string key_path;
  };
  absl::StatusOr<ServerFiles> EnsureServerCertificate(
      const std::vector<std::string>& names) const;

  // Checks a renewal: the old certificate was issued here and expired at most
  // 90 days ago, and `signature` over `csr_pem` is by its key.
  // kUnauthenticated otherwise.
  absl::StatusOr<EndpointIdentity> VerifyRenewal(
      absl::string_view certificate_pem, absl::string_view csr_pem,
      absl::string_view signature) const;

  // What a PEM certificate of a peer says; kUnauthenticated when it was not
  // issued here, is out of its time, or carries no endpoint id.
  absl::StatusOr<EndpointIdentity> VerifyPeer(
      absl::string_view certificate_pem) const;

 private:
  struct Impl;
  explicit CertificateAuthority(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace forewarn::identity

#endif  // FOREWARN_COLLECTOR_IDENTITY_CERTIFICATE_AUTHORITY_H_
