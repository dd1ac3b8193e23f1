#include "collector/identity/certificate_authority.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "collector/identity/certificates.h"
#include "collector/identity/private_file.h"
#include "protos/base/mutex.h"
#include "protos/base/status.h"

namespace forewarn::identity {
namespace {

using Use = CertificateProfile::Use;

constexpr absl::Duration kRootLife = absl::Hours(24 * 3652);
constexpr absl::Duration kServerLife = absl::Hours(24 * 90);
constexpr absl::Duration kEndpointLife = absl::Hours(24 * 7);
constexpr absl::Duration kRenewalGrace = absl::Hours(24 * 90);
// An endpoint's clock may be behind ours and must still accept what we sign.
constexpr absl::Duration kBackdated = absl::Hours(24);
constexpr char kEndpointUri[] = "forewarn://endpoint/";

// Two collectors started at one moment on one folder must not make two roots.
class FolderLock {
 public:
  static absl::StatusOr<FolderLock> Take(const std::string& folder) {
    const int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) {
      return base::ErrnoStatus(errno, absl::StrCat("open ", folder));
    }
    FolderLock lock(file);
    if (flock(file, LOCK_EX) != 0) {
      return base::ErrnoStatus(errno, absl::StrCat("lock ", folder));
    }
    return lock;
  }
  FolderLock(FolderLock&& other) noexcept
      : file_(std::exchange(other.file_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock() {
    if (file_ >= 0) close(file_);
  }

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

bool IsUuid(absl::string_view id) {
  if (id.size() != 36) return false;
  for (size_t i = 0; i < id.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex =
        (id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f');
    if (dash ? id[i] != '-' : !hex) return false;
  }
  return true;
}

absl::StatusOr<OwnedCertificate> MakeRoot(EVP_PKEY* key, absl::Time now) {
  return MakeCertificate({.use = Use::kRoot,
                          .common_name = "Forewarn CA",
                          .uris = {},
                          .names = {},
                          .not_before = now - kBackdated,
                          .not_after = now + kRootLife},
                         key, nullptr, key);
}

absl::StatusOr<EndpointIdentity> IdentityOf(X509* certificate) {
  for (const std::string& uri : UrisOf(certificate)) {
    absl::string_view id = uri;
    if (!absl::ConsumePrefix(&id, kEndpointUri) || !IsUuid(id)) continue;
    FOREWARN_ASSIGN_OR_RETURN(const absl::Time not_after,
                              NotAfter(certificate));
    return EndpointIdentity{.endpoint_id = std::string(id),
                            .serial = SerialOf(certificate),
                            .not_after = not_after};
  }
  return absl::UnauthenticatedError(
      "check a certificate: it names no endpoint");
}

// Any reason looks alike to whoever asks.
absl::Status Refused(const absl::Status& reason) {
  return absl::UnauthenticatedError(reason.message());
}

// Addresses in their usual form, sorted, once each.
std::vector<std::string> Normalised(std::vector<std::string> names) {
  for (std::string& name : names) {
    ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
    if (address == nullptr) continue;
    name = ShowIpAddress(address);
    ASN1_OCTET_STRING_free(address);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

struct CertificateAuthority::Impl {
  Impl(std::string folder, base::Clock& time)
      : directory(std::move(folder)), clock(time) {}

  std::string File(absl::string_view name) const {
    return absl::StrCat(directory, "/", name);
  }

  absl::Status Open();
  absl::Status Create();
  absl::Status CheckServerFiles(const std::vector<std::string>& names) const;
  absl::Status MakeServerFiles(const std::vector<std::string>& names) const;

  const std::string directory;
  base::Clock& clock;
  OwnedKey key;
  OwnedCertificate root;
  std::string root_pem;
  std::string root_pin;
  base::Mutex server_files_mutex;  // one maker of server.pem at a time
};

absl::Status CertificateAuthority::Impl::Open() {
  FOREWARN_ASSIGN_OR_RETURN(const std::string key_pem,
                            ReadPrivateFile(File("ca-key.pem")));
  absl::StatusOr<OwnedKey> parsed_key = ParsePrivateKey(key_pem);
  if (!parsed_key.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(File("ca-key.pem"), ": ", parsed_key.status().message()));
  }
  key = *std::move(parsed_key);

  absl::StatusOr<std::string> pem = ReadSmallFile(File("ca.pem"));
  if (absl::IsNotFound(pem.status())) {
    // Stopped between the two files: the key is the authority, so a new root
    // for it keeps its pin.
    FOREWARN_ASSIGN_OR_RETURN(root, MakeRoot(key.get(), clock.Now()));
    FOREWARN_ASSIGN_OR_RETURN(pem, CertificatePem(root.get()));
    FOREWARN_RETURN_IF_ERROR(ReplaceFile(File("ca.pem"), *pem, 0644));
  }
  FOREWARN_RETURN_IF_ERROR(pem.status());
  absl::StatusOr<OwnedCertificate> parsed = ParseCertificate(*pem);
  if (!parsed.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(File("ca.pem"), ": ", parsed.status().message()));
  }
  root = *std::move(parsed);
  if (X509_check_private_key(root.get(), key.get()) != 1) {
    return OpenSslError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat("match ", File("ca.pem"), " with its key"));
  }
  FOREWARN_ASSIGN_OR_RETURN(root_pem, CertificatePem(root.get()));
  root_pin = PinOf(root.get());
  return absl::OkStatus();
}

absl::Status CertificateAuthority::Impl::Create() {
  std::error_code error;
  if (std::filesystem::exists(File("ca.pem"), error)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "open ", directory,
        ": ca.pem is there but ca-key.pem is missing; restore the key from a "
        "backup, or move ca.pem away and enrol every endpoint anew"));
  }
  FOREWARN_ASSIGN_OR_RETURN(const OwnedKey made, MakeP256Key());
  FOREWARN_ASSIGN_OR_RETURN(const std::string pem, PrivateKeyPem(made.get()));
  return ReplaceFile(File("ca-key.pem"), pem, 0600);
}

absl::Status CertificateAuthority::Impl::CheckServerFiles(
    const std::vector<std::string>& names) const {
  FOREWARN_ASSIGN_OR_RETURN(const std::string key_pem,
                            ReadPrivateFile(File("server-key.pem")));
  FOREWARN_ASSIGN_OR_RETURN(const OwnedKey server_key,
                            ParsePrivateKey(key_pem));
  FOREWARN_ASSIGN_OR_RETURN(const std::string pem,
                            ReadSmallFile(File("server.pem")));
  FOREWARN_ASSIGN_OR_RETURN(const OwnedCertificate certificate,
                            ParseCertificate(pem));
  if (X509_check_private_key(certificate.get(), server_key.get()) != 1) {
    return OpenSslError(absl::StatusCode::kFailedPrecondition,
                        "match server.pem with its key");
  }
  if (NamesOf(certificate.get()) != names) {
    return absl::FailedPreconditionError("the names changed");
  }
  FOREWARN_ASSIGN_OR_RETURN(const absl::Time not_after,
                            NotAfter(certificate.get()));
  // Issued in what is now the future: the clock was wrong then or is now.
  if (clock.Now() > not_after - kServerLife / 2 ||
      clock.Now() < not_after - kServerLife - kBackdated) {
    return absl::FailedPreconditionError("half its life is over");
  }
  return CheckIssued(certificate.get(), root.get(), Use::kServer, clock.Now());
}

absl::Status CertificateAuthority::Impl::MakeServerFiles(
    const std::vector<std::string>& names) const {
  FOREWARN_ASSIGN_OR_RETURN(const OwnedKey server_key, MakeP256Key());
  FOREWARN_ASSIGN_OR_RETURN(
      const OwnedCertificate certificate,
      MakeCertificate({.use = Use::kServer,
                       .common_name = "Forewarn collector",
                       .uris = {},
                       .names = names,
                       .not_before = clock.Now() - kBackdated,
                       .not_after = clock.Now() + kServerLife},
                      server_key.get(), root.get(), key.get()));
  FOREWARN_ASSIGN_OR_RETURN(const std::string key_pem,
                            PrivateKeyPem(server_key.get()));
  FOREWARN_ASSIGN_OR_RETURN(const std::string pem,
                            CertificatePem(certificate.get()));
  // A crash between the two leaves a pair that does not match, which the next
  // start notices and makes anew.
  FOREWARN_RETURN_IF_ERROR(ReplaceFile(File("server-key.pem"), key_pem, 0600));
  return ReplaceFile(File("server.pem"), absl::StrCat(pem, root_pem), 0644);
}

CertificateAuthority::CertificateAuthority(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

CertificateAuthority::~CertificateAuthority() = default;

absl::StatusOr<std::unique_ptr<CertificateAuthority>>
CertificateAuthority::OpenOrCreate(const std::string& directory,
                                   base::Clock& clock) {
  std::error_code error;
  if (std::filesystem::create_directories(directory, error)) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all,
                                 error);
  }
  if (error) {
    return base::ErrnoStatus(error.value(), absl::StrCat("make ", directory));
  }
  FOREWARN_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(directory));
  auto impl = std::make_unique<Impl>(directory, clock);
  absl::Status opened = impl->Open();
  if (absl::IsNotFound(opened)) {
    FOREWARN_RETURN_IF_ERROR(impl->Create());
    opened = impl->Open();
  }
  FOREWARN_RETURN_IF_ERROR(opened);
  return std::unique_ptr<CertificateAuthority>(
      new CertificateAuthority(std::move(impl)));
}

const std::string& CertificateAuthority::ca_pem() const {
  return impl_->root_pem;
}

const std::string& CertificateAuthority::pin() const { return impl_->root_pin; }

absl::StatusOr<IssuedCertificate> CertificateAuthority::SignEndpoint(
    absl::string_view csr_pem, absl::string_view endpoint_id) const {
  if (!IsUuid(endpoint_id)) {
    return absl::InvalidArgumentError(
        "sign a certificate: the endpoint id is no UUID");
  }
  FOREWARN_ASSIGN_OR_RETURN(const OwnedRequest request, ParseRequest(csr_pem));
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (!IsAcceptedKey(key)) {
    return absl::InvalidArgumentError(
        "certificate request: the key is neither ECDSA P-256 nor Ed25519");
  }
  if (X509_REQ_verify(request.get(), key) != 1) {
    return OpenSslError(absl::StatusCode::kInvalidArgument,
                        "certificate request: check its signature");
  }
  const absl::Time now = impl_->clock.Now();
  FOREWARN_ASSIGN_OR_RETURN(
      const OwnedCertificate made,
      MakeCertificate({.use = Use::kEndpoint,
                       .common_name = std::string(endpoint_id),
                       .uris = {absl::StrCat(kEndpointUri, endpoint_id)},
                       .names = {},
                       .not_before = now - kBackdated,
                       .not_after = now + kEndpointLife},
                      key, impl_->root.get(), impl_->key.get()));
  FOREWARN_ASSIGN_OR_RETURN(std::string pem, CertificatePem(made.get()));
  FOREWARN_ASSIGN_OR_RETURN(const absl::Time not_after, NotAfter(made.get()));
  return IssuedCertificate{.pem = std::move(pem),
                           .serial = SerialOf(made.get()),
                           .not_after = not_after};
}

absl::StatusOr<CertificateAuthority::ServerFiles>
CertificateAuthority::EnsureServerCertificate(
    const std::vector<std::string>& names) const {
  if (names.empty()) {
    return absl::InvalidArgumentError(
        "make the server certificate: no name to put into it");
  }
  const std::vector<std::string> wanted = Normalised(names);
  base::MutexLock lock(&impl_->server_files_mutex);
  if (!impl_->CheckServerFiles(wanted).ok()) {
    FOREWARN_RETURN_IF_ERROR(impl_->MakeServerFiles(wanted));
  }
  return ServerFiles{.certificate_path = impl_->File("server.pem"),
                     .key_path = impl_->File("server-key.pem")};
}

absl::StatusOr<EndpointIdentity> CertificateAuthority::VerifyRenewal(
    absl::string_view certificate_pem, absl::string_view csr_pem,
    absl::string_view signature) const {
  absl::StatusOr<OwnedCertificate> certificate =
      ParseCertificate(certificate_pem);
  if (!certificate.ok()) return Refused(certificate.status());
  const absl::StatusOr<absl::Time> not_after = NotAfter(certificate->get());
  if (!not_after.ok()) return Refused(not_after.status());
  const absl::Time now = impl_->clock.Now();
  if (now > *not_after + kRenewalGrace) {
    return absl::UnauthenticatedError(
        "renew a certificate: it expired over 90 days ago; enrol again");
  }
  // An expired certificate is judged by its last valid second.
  FOREWARN_RETURN_IF_ERROR(
      CheckIssued(certificate->get(), impl_->root.get(), Use::kEndpoint,
                  std::min(now, *not_after - absl::Seconds(1))));
  if (!IsSignature(X509_get0_pubkey(certificate->get()), csr_pem, signature)) {
    return absl::UnauthenticatedError(
        "renew a certificate: the signature is not by its key");
  }
  return IdentityOf(certificate->get());
}

absl::StatusOr<EndpointIdentity> CertificateAuthority::VerifyPeer(
    absl::string_view certificate_pem) const {
  absl::StatusOr<OwnedCertificate> certificate =
      ParseCertificate(certificate_pem);
  if (!certificate.ok()) return Refused(certificate.status());
  FOREWARN_RETURN_IF_ERROR(CheckIssued(certificate->get(), impl_->root.get(),
                                       Use::kEndpoint, impl_->clock.Now()));
  return IdentityOf(certificate->get());
}

}  // namespace forewarn::identity
