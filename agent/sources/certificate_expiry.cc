#include "agent/sources/certificate_expiry.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "agent/sources/text.h"

namespace forewarn::agent {
namespace {

constexpr int kMaxCertificates = 100;
constexpr size_t kMaxSubjectBytes = 128;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Certificate = std::unique_ptr<X509, FreeCertificate>;

std::string FirstDnsName(X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && found.empty(); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS) continue;
    found.assign(
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
        static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(names);
  return found;
}

std::string SubjectOf(X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  std::string name;
  if (at >= 0) {
    unsigned char* utf8 = nullptr;
    const int length = ASN1_STRING_to_UTF8(
        &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (length > 0) {
      name.assign(reinterpret_cast<char*>(utf8), static_cast<size_t>(length));
    }
    OPENSSL_free(utf8);
  }
  if (name.empty()) name = FirstDnsName(certificate);
  return name.empty() ? "(no name)" : CleanText(name, kMaxSubjectBytes);
}

}  // namespace

std::optional<absl::Time> ExpiryOf(const X509* certificate) {
  std::tm civil = {};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &civil) != 1) {
    return std::nullopt;
  }
  return absl::FromTM(civil, absl::UTCTimeZone());
}

absl::StatusOr<CertificateExpiry> EarliestExpiry(absl::string_view text) {
  const std::unique_ptr<BIO, FreeBio> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  std::optional<CertificateExpiry> earliest;
  absl::Status status;
  for (int i = 0; i < kMaxCertificates && status.ok(); ++i) {
    Certificate certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr && i == 0 &&
        !absl::StrContains(text, "-----BEGIN")) {
      const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
      certificate.reset(
          d2i_X509(nullptr, &bytes, static_cast<long>(text.size())));
    }
    if (certificate == nullptr) {
      const unsigned long error = ERR_peek_last_error();
      if (i == 0 || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
        status = absl::InvalidArgumentError(
            i == 0 ? "read certificate: there is none"
                   : "read certificate: one of several is damaged");
      }
      break;
    }
    const std::optional<absl::Time> expires = ExpiryOf(certificate.get());
    if (!expires.has_value()) {
      status = absl::InvalidArgumentError("read certificate: bad expiry");
    } else if (!earliest.has_value() || *expires < earliest->expires) {
      earliest = {.subject = SubjectOf(certificate.get()), .expires = *expires};
    }
  }
  ERR_clear_error();
  if (!status.ok()) return status;
  return *std::move(earliest);
}

}  // namespace forewarn::agent
