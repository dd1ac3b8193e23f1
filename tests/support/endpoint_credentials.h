#ifndef FOREWARN_TESTS_SUPPORT_ENDPOINT_CREDENTIALS_H_
#define FOREWARN_TESTS_SUPPORT_ENDPOINT_CREDENTIALS_H_

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <string>

#include "collector/identity/certificate_authority.h"

namespace forewarn::testing {

struct EndpointCredentials {
  std::string key_pem;
  std::string csr_pem;
  std::string certificate_pem;
};

// Key and request as an endpoint makes them, signed by `authority`.
inline EndpointCredentials MakeCredentials(
    const identity::CertificateAuthority& authority,
    const std::string& endpoint_id) {
  const auto text = [](BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<size_t>(size));
    BIO_free(bio);
    return out;
  };
  EndpointCredentials made;
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509_REQ* request = X509_REQ_new();
  X509_REQ_set_pubkey(request, key);
  X509_REQ_sign(request, key, EVP_sha256());
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  made.key_pem = text(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_REQ(bio, request);
  made.csr_pem = text(bio);
  X509_REQ_free(request);
  EVP_PKEY_free(key);
  made.certificate_pem =
      authority.SignEndpoint(made.csr_pem, endpoint_id).value().pem;
  return made;
}

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_ENDPOINT_CREDENTIALS_H_
