#ifndef FOREWARN_COLLECTOR_IDENTITY_OPENSSL_HANDLES_H_
#define FOREWARN_COLLECTOR_IDENTITY_OPENSSL_HANDLES_H_

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace forewarn::identity {

// Owners of OpenSSL's objects; each frees with the function it names.
template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using OwnedBio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using OwnedNumber = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using OwnedKey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using OwnedKeyContext =
    std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using OwnedDigestContext =
    std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using OwnedCertificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using OwnedRequest = std::unique_ptr<X509_REQ, FreeWith<X509_REQ_free>>;
using OwnedStore = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
using OwnedStoreContext =
    std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;
using OwnedExtension =
    std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using OwnedNames = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;

}  // namespace forewarn::identity

#endif  // FOREWARN_COLLECTOR_IDENTITY_OPENSSL_HANDLES_H_
