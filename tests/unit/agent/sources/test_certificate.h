#ifndef FOREWARN_TESTS_UNIT_AGENT_SOURCES_TEST_CERTIFICATE_H_
#define FOREWARN_TESTS_UNIT_AGENT_SOURCES_TEST_CERTIFICATE_H_

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string>

#include "absl/time/time.h"

namespace forewarn::testing {

// A self-signed certificate with its key.
class TestCertificate {
 public:
  // An empty `common_name`: only the DNS name "san.example".
  TestCertificate(const std::string& common_name, absl::Time expires)
      : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
    X509_set_version(certificate_, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
    ASN1_TIME_set(X509_getm_notBefore(certificate_),
                  absl::ToTimeT(absl::FromUnixSeconds(1'000'000'000)));
    ASN1_TIME_set(X509_getm_notAfter(certificate_), absl::ToTimeT(expires));
    X509_set_pubkey(certificate_, key_);
    X509_NAME* name = X509_get_subject_name(certificate_);
    if (common_name.empty()) {
      X509_EXTENSION* names = X509V3_EXT_conf_nid(
          nullptr, nullptr, NID_subject_alt_name, "DNS:san.example");
      X509_add_ext(certificate_, names, -1);
      X509_EXTENSION_free(names);
    } else {
      X509_NAME_add_entry_by_txt(
          name, "CN", MBSTRING_UTF8,
          reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
          0);
    }
    X509_set_issuer_name(certificate_, name);
    X509_sign(certificate_, key_, EVP_sha256());
  }
  ~TestCertificate() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  X509* certificate() const { return certificate_; }
  EVP_PKEY* key() const { return key_; }

  std::string Pem() const {
    return Text([this](BIO* bio) { PEM_write_bio_X509(bio, certificate_); });
  }
  std::string Der() const {
    return Text([this](BIO* bio) { i2d_X509_bio(bio, certificate_); });
  }
  std::string KeyPem() const {
    return Text([this](BIO* bio) {
      PEM_write_bio_PrivateKey(bio, key_, nullptr, nullptr, 0, nullptr,
                               nullptr);
    });
  }

 private:
  template <typename F>
  static std::string Text(F write) {
    BIO* bio = BIO_new(BIO_s_mem());
    write(bio);
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<size_t>(length));
    BIO_free(bio);
    return text;
  }

  EVP_PKEY* const key_;
  X509* const certificate_;
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_UNIT_AGENT_SOURCES_TEST_CERTIFICATE_H_
