#include "agent/identity/certificate.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/sha.h>

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/identity/openssl_handles.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr absl::string_view kEndpointUri = "forewarn://endpoint/";

// A key with a pass phrase is not asked for one on the terminal.
int NoPassPhrase(char*, int, int, void*) { return 0; }

KeyHandle ParseKey(absl::string_view pem) {
  const BioHandle bio = ReadBio(pem);
  return KeyHandle(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassPhrase, nullptr));
}

absl::StatusOr<absl::Time> TimeOf(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) {
    return OpenSslError("read certificate time");
  }
  return absl::FromTM(fields, absl::UTCTimeZone());
}

std::string EndpointIdOf(X509* certificate) {
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return "";
  std::string id;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    const absl::string_view uri(
        reinterpret_cast<const char*>(
            ASN1_STRING_get0_data(name->d.uniformResourceIdentifier)),
        static_cast<size_t>(
            ASN1_STRING_length(name->d.uniformResourceIdentifier)));
    if (absl::StartsWith(uri, kEndpointUri)) {
      id = std::string(uri.substr(kEndpointUri.size()));
    }
  }
  GENERAL_NAMES_free(names);
  return id;
}

}  // namespace

absl::Status OpenSslError(absl::string_view deed) {
  const unsigned long code = ERR_get_error();
  const char* const reason =
      code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return absl::InternalError(absl::StrCat(
      deed, ": ", reason == nullptr ? "OpenSSL gives no reason" : reason));
}

CertificateHandle ParseCertificate(absl::string_view pem) {
  const BioHandle bio = ReadBio(pem);
  CertificateHandle certificate(
      PEM_read_bio_X509(bio.get(), nullptr, NoPassPhrase, nullptr));
  ERR_clear_error();
  return certificate;
}

std::string PublicKeySha256(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return "";
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(der, static_cast<size_t>(size), hash);
  OPENSSL_free(der);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(hash), sizeof(hash)));
}

absl::StatusOr<std::string> MakeKeyPem() {
  const KeyHandle key(EVP_EC_gen("P-256"));
  if (key == nullptr) return OpenSslError("make key");
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0,
                               nullptr, nullptr) != 1) {
    return OpenSslError("write key");
  }
  return TextOf(bio.get());
}

absl::StatusOr<std::string> MakeCsrPem(absl::string_view key_pem,
                                       absl::string_view common_name) {
  const KeyHandle key = ParseKey(key_pem);
  if (key == nullptr) return OpenSslError("read key");
  const RequestHandle request(X509_REQ_new());
  const std::string name(common_name.substr(0, 64));  // X.520's bound
  if (request == nullptr ||
      X509_NAME_add_entry_by_txt(
          X509_REQ_get_subject_name(request.get()), "CN", MBSTRING_UTF8,
          reinterpret_cast<const unsigned char*>(name.data()),
          static_cast<int>(name.size()), -1, 0) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0) {
    return OpenSslError("make signing request");
  }
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return OpenSslError("write signing request");
  }
  return TextOf(bio.get());
}

absl::StatusOr<std::string> SignText(absl::string_view key_pem,
                                     absl::string_view text) {
  const KeyHandle key = ParseKey(key_pem);
  if (key == nullptr) return OpenSslError("read key");
  const DigestHandle digest(EVP_MD_CTX_new());
  size_t size = 0;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (digest == nullptr ||
      EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr,
                         key.get()) != 1 ||
      EVP_DigestSign(digest.get(), nullptr, &size, bytes, text.size()) != 1) {
    return OpenSslError("sign");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(digest.get(),
                     reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes, text.size()) != 1) {
    return OpenSslError("sign");
  }
  signature.resize(size);
  return signature;
}

absl::StatusOr<CertificateFacts> ReadCertificate(absl::string_view pem) {
  const CertificateHandle certificate = ParseCertificate(pem);
  if (certificate == nullptr) {
    return absl::InvalidArgumentError("read certificate: no certificate in it");
  }
  CertificateFacts facts;
  char subject[256] = "";
  X509_NAME_oneline(X509_get_subject_name(certificate.get()), subject,
                    sizeof(subject));
  facts.subject = subject;
  facts.endpoint_id = EndpointIdOf(certificate.get());
  FOREWARN_ASSIGN_OR_RETURN(facts.not_before,
                            TimeOf(X509_get0_notBefore(certificate.get())));
  FOREWARN_ASSIGN_OR_RETURN(facts.not_after,
                            TimeOf(X509_get0_notAfter(certificate.get())));
  facts.public_key_sha256 = PublicKeySha256(certificate.get());
  facts.is_ca = X509_check_ca(certificate.get()) == 1;
  return facts;
}

absl::Status CheckIssued(absl::string_view certificate_pem,
                         absl::string_view key_pem, absl::string_view ca_pem) {
  const CertificateHandle certificate = ParseCertificate(certificate_pem);
  const CertificateHandle ca = ParseCertificate(ca_pem);
  const KeyHandle key = ParseKey(key_pem);
  if (certificate == nullptr || ca == nullptr || key == nullptr) {
    return absl::FailedPreconditionError(
        "check certificate: key, certificate or CA is unreadable");
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return absl::FailedPreconditionError(
        "check certificate: it is not for this endpoint's key");
  }
  if (X509_verify(certificate.get(), X509_get0_pubkey(ca.get())) != 1) {
    ERR_clear_error();
    return absl::FailedPreconditionError(
        "check certificate: it was not signed by the collector's CA");
  }
  return absl::OkStatus();
}

}  // namespace forewarn::agent
