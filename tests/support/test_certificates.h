#ifndef FOREWARN_TESTS_SUPPORT_TEST_CERTIFICATES_H_
#define FOREWARN_TESTS_SUPPORT_TEST_CERTIFICATES_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace forewarn::testing {

// A throw-away CA that signs what a test asks for.
class TestCa {
 public:
  struct Issued {
    std::string certificate_pem;
    std::string key_pem;
  };

  explicit TestCa(const std::string& name = "test CA") : key_(MakeKey()) {
    certificate_.reset(X509_new());
    Fill(certificate_.get(), name, key_.get(), name,
         absl::Now() - absl::Hours(1), absl::Now() + absl::Hours(24));
    Extend(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  }

  std::string pem() const { return PemOf(certificate_.get()); }

  // SHA-256 of SubjectPublicKeyInfo, hexadecimal.
  std::string pin() const {
    unsigned char* der = nullptr;
    const int size =
        i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate_.get()), &der);
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(der, static_cast<size_t>(size), hash);
    OPENSSL_free(der);
    return absl::BytesToHexString(
        absl::string_view(reinterpret_cast<const char*>(hash), sizeof(hash)));
  }

  // `names`: a subjectAltName, such as "DNS:localhost,IP:127.0.0.1" or
  // "URI:forewarn://endpoint/1".
  Issued Issue(const std::string& names,
               absl::Time not_before = absl::Now() - absl::Hours(1),
               absl::Time not_after = absl::Now() + absl::Hours(1)) const {
    const Key key = MakeKey();
    return {Sign(key.get(), names, not_before, not_after), KeyPem(key.get())};
  }

  // Signs a CSR's key; empty when it is none or not signed by that key.
  std::string SignCsr(const std::string& csr_pem, const std::string& names,
                      absl::Time not_before = absl::Now() - absl::Hours(1),
                      absl::Time not_after = absl::Now() +
                                             absl::Hours(1)) const {
    const Bio bio(
        BIO_new_mem_buf(csr_pem.data(), static_cast<int>(csr_pem.size())));
    const std::unique_ptr<X509_REQ, Free<X509_REQ_free>> request(
        PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
    if (request == nullptr) return "";
    EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
    if (X509_REQ_verify(request.get(), key) != 1) return "";
    return Sign(key, names, not_before, not_after);
  }

 private:
  template <auto Function>
  struct Free {
    template <typename T>
    void operator()(T* object) const {
      Function(object);
    }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
  using Certificate = std::unique_ptr<X509, Free<X509_free>>;
  using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

  static Key MakeKey() { return Key(EVP_EC_gen("P-256")); }

  static std::string TextOf(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<size_t>(size));
  }
  static std::string PemOf(X509* certificate) {
    const Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate);
    return TextOf(bio.get());
  }
  static std::string KeyPem(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr,
                             nullptr);
    return TextOf(bio.get());
  }

  static void SetName(X509_NAME* name, const std::string& text) {
    X509_NAME_add_entry_by_txt(
        name, "CN", MBSTRING_UTF8,
        reinterpret_cast<const unsigned char*>(text.data()),
        static_cast<int>(text.size()), -1, 0);
  }
  static void Fill(X509* certificate, const std::string& subject, EVP_PKEY* key,
                   const std::string& issuer, absl::Time not_before,
                   absl::Time not_after) {
    static long serial = 1;
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    SetName(X509_get_subject_name(certificate), subject);
    SetName(X509_get_issuer_name(certificate), issuer);
    ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(not_before));
    ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(not_after));
    X509_set_pubkey(certificate, key);
  }
  static void Extend(X509* certificate, int kind, const std::string& text) {
    X509_EXTENSION* const extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, kind, text.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  std::string Sign(EVP_PKEY* key, const std::string& names,
                   absl::Time not_before, absl::Time not_after) const {
    const Certificate certificate(X509_new());
    Fill(certificate.get(), "leaf", key, IssuerName(), not_before, not_after);
    if (!names.empty()) {
      Extend(certificate.get(), NID_subject_alt_name, names);
    }
    X509_sign(certificate.get(), key_.get(), EVP_sha256());
    return PemOf(certificate.get());
  }
  std::string IssuerName() const {
    char text[128] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate_.get()),
                              NID_commonName, text, sizeof(text));
    return text;
  }

  Key key_;
  Certificate certificate_;
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_TEST_CERTIFICATES_H_
