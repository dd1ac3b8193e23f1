#ifndef FOREWARN_AGENT_IDENTITY_OPENSSL_HANDLES_H_
#define FOREWARN_AGENT_IDENTITY_OPENSSL_HANDLES_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// Owning handles for OpenSSL objects, for this room's sources only.
namespace forewarn::agent {

template <auto Free>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioHandle = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using DigestHandle = std::unique_ptr<EVP_MD_CTX, OpenSslFree<EVP_MD_CTX_free>>;
using CertificateHandle = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using RequestHandle = std::unique_ptr<X509_REQ, OpenSslFree<X509_REQ_free>>;
using StoreHandle = std::unique_ptr<X509_STORE, OpenSslFree<X509_STORE_free>>;
using StoreContextHandle =
    std::unique_ptr<X509_STORE_CTX, OpenSslFree<X509_STORE_CTX_free>>;

// Reads from `text`, which must outlive it.
inline BioHandle ReadBio(absl::string_view text) {
  return BioHandle(BIO_new_mem_buf(
      text.data(), static_cast<int>(std::min<size_t>(text.size(), INT_MAX))));
}

inline std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

// kInternal with OpenSSL's own reason; empties its error queue.
absl::Status OpenSslError(absl::string_view deed);

// The first certificate in PEM text; null when there is none.
CertificateHandle ParseCertificate(absl::string_view pem);

// SHA-256 of SubjectPublicKeyInfo, lower-case hexadecimal.
std::string PublicKeySha256(X509* certificate);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_IDENTITY_OPENSSL_HANDLES_H_
