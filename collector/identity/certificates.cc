#include "collector/identity/certificates.h"

#include <arpa/inet.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "protos/base/status.h"

namespace forewarn::identity {
namespace {

using Use = CertificateProfile::Use;

constexpr size_t kLargestPem = 16 * 1024;
constexpr int kSerialBits = 127;  // positive, at most 20 octets (RFC 5280)

// A key or request that asks for a password must fail, not prompt.
int NoPassword(char*, int, int, void*) { return 0; }

template <typename Owned, typename Read>
absl::StatusOr<Owned> Parse(absl::string_view pem, absl::string_view what,
                            Read read) {
  if (pem.size() > kLargestPem) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": over 16 KiB"));
  }
  OwnedBio input(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Owned parsed(read(input.get()));
  if (parsed == nullptr) {
    return OpenSslError(absl::StatusCode::kInvalidArgument,
                        absl::StrCat("parse ", what));
  }
  return parsed;
}

std::string Take(BIO* output) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(output, &data);
  return std::string(data, static_cast<size_t>(size));
}

absl::Status SetTime(ASN1_TIME* target, absl::Time time) {
  if (ASN1_TIME_set(target, absl::ToTimeT(time)) == nullptr) {
    return OpenSslError(absl::StatusCode::kInternal, "set a validity time");
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> GetTime(const ASN1_TIME* time) {
  struct tm broken;
  if (ASN1_TIME_to_tm(time, &broken) != 1) {
    return OpenSslError(absl::StatusCode::kInvalidArgument,
                        "read a validity time");
  }
  return absl::FromTM(broken, absl::UTCTimeZone());
}

absl::Status SetSerial(X509* certificate) {
  OwnedNumber number(BN_new());
  if (number == nullptr ||
      BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) !=
          1 ||
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) ==
          nullptr) {
    return OpenSslError(absl::StatusCode::kInternal, "draw a serial number");
  }
  return absl::OkStatus();
}

absl::Status SetCommonName(X509* certificate, const std::string& name) {
  if (X509_NAME_add_entry_by_NID(
          X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8,
          reinterpret_cast<const unsigned char*>(name.data()),
          static_cast<int>(name.size()), -1, 0) != 1) {
    return OpenSslError(absl::StatusCode::kInvalidArgument,
                        "set a certificate's name");
  }
  return absl::OkStatus();
}

// `value` is ours, never text from outside: OpenSSL's little language for
// extensions can read files.
absl::Status AddExtension(X509* certificate, X509* issuer, int kind,
                          const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  OwnedExtension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  if (extension == nullptr ||
      X509_add_ext(certificate, extension.get(), -1) != 1) {
    return OpenSslError(absl::StatusCode::kInternal,
                        absl::StrCat("add extension ", OBJ_nid2sn(kind)));
  }
  return absl::OkStatus();
}

bool IsDnsName(absl::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
           c == '-' || c == '_' || c == '*';
  });
}

// Takes `value` over.
absl::Status PushName(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  if (name == nullptr || value == nullptr) {
    GENERAL_NAME_free(name);
    ASN1_STRING_free(value);
    return OpenSslError(absl::StatusCode::kInternal, "add a name");
  }
  GENERAL_NAME_set0_value(name, type, value);
  if (sk_GENERAL_NAME_push(names, name) <= 0) {
    GENERAL_NAME_free(name);
    return OpenSslError(absl::StatusCode::kInternal, "add a name");
  }
  return absl::OkStatus();
}

ASN1_STRING* Ia5(absl::string_view text) {
  ASN1_STRING* value = ASN1_IA5STRING_new();
  if (value != nullptr) {
    ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
  }
  return value;
}

absl::Status AddAlternativeNames(X509* certificate,
                                 const CertificateProfile& profile) {
  OwnedNames names(sk_GENERAL_NAME_new_null());
  for (const std::string& uri : profile.uris) {
    FOREWARN_RETURN_IF_ERROR(PushName(names.get(), GEN_URI, Ia5(uri)));
  }
  for (const std::string& name : profile.names) {
    if (ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
        address != nullptr) {
      FOREWARN_RETURN_IF_ERROR(PushName(names.get(), GEN_IPADD, address));
      continue;
    }
    ERR_clear_error();
    if (!IsDnsName(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("name '", absl::CHexEscape(name),
                       "': neither a DNS name nor an IP address"));
    }
    FOREWARN_RETURN_IF_ERROR(PushName(names.get(), GEN_DNS, Ia5(name)));
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return absl::OkStatus();
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0,
                        X509V3_ADD_DEFAULT) != 1) {
    return OpenSslError(absl::StatusCode::kInternal, "add the names");
  }
  return absl::OkStatus();
}

absl::Status AddExtensions(X509* certificate, X509* issuer, Use use) {
  const bool root = use == Use::kRoot;
  FOREWARN_RETURN_IF_ERROR(
      AddExtension(certificate, issuer, NID_basic_constraints,
                   root ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE"));
  FOREWARN_RETURN_IF_ERROR(AddExtension(
      certificate, issuer, NID_key_usage,
      root ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature"));
  FOREWARN_RETURN_IF_ERROR(
      AddExtension(certificate, issuer, NID_subject_key_identifier, "hash"));
  if (root) return absl::OkStatus();
  FOREWARN_RETURN_IF_ERROR(
      AddExtension(certificate, issuer, NID_ext_key_usage,
                   use == Use::kServer ? "serverAuth" : "clientAuth"));
  return AddExtension(certificate, issuer, NID_authority_key_identifier,
                      "keyid:always");
}

std::vector<std::string> AlternativeNames(X509* certificate, bool uris) {
  std::vector<std::string> found;
  OwnedNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get());
       ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (uris != (type == GEN_URI)) continue;
    if (type == GEN_IPADD) {
      found.push_back(ShowIpAddress(value));
    } else if (type == GEN_DNS || type == GEN_URI) {
      found.emplace_back(
          reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<size_t>(ASN1_STRING_length(value)));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

absl::Status OpenSslError(absl::StatusCode code, absl::string_view deed) {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return absl::Status(
      code, absl::StrCat(deed, ": ", reason == nullptr ? "refused" : reason));
}

absl::StatusOr<OwnedKey> MakeP256Key() {
  OwnedKey key(EVP_EC_gen("P-256"));
  if (key == nullptr) {
    return OpenSslError(absl::StatusCode::kInternal, "make an ECDSA key");
  }
  return key;
}

absl::StatusOr<OwnedCertificate> ParseCertificate(absl::string_view pem) {
  return Parse<OwnedCertificate>(pem, "certificate", [](BIO* input) {
    return PEM_read_bio_X509(input, nullptr, NoPassword, nullptr);
  });
}

absl::StatusOr<OwnedRequest> ParseRequest(absl::string_view pem) {
  return Parse<OwnedRequest>(pem, "certificate request", [](BIO* input) {
    return PEM_read_bio_X509_REQ(input, nullptr, NoPassword, nullptr);
  });
}

absl::StatusOr<OwnedKey> ParsePrivateKey(absl::string_view pem) {
  return Parse<OwnedKey>(pem, "private key", [](BIO* input) {
    return PEM_read_bio_PrivateKey(input, nullptr, NoPassword, nullptr);
  });
}

absl::StatusOr<std::string> CertificatePem(X509* certificate) {
  OwnedBio output(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(output.get(), certificate) != 1) {
    return OpenSslError(absl::StatusCode::kInternal, "write a certificate");
  }
  return Take(output.get());
}

absl::StatusOr<std::string> PrivateKeyPem(EVP_PKEY* key) {
  OwnedBio output(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PKCS8PrivateKey(output.get(), key, nullptr, nullptr, 0,
                                    nullptr, nullptr) != 1) {
    return OpenSslError(absl::StatusCode::kInternal, "write a private key");
  }
  return Take(output.get());
}

bool IsAcceptedKey(const EVP_PKEY* key) {
  if (key == nullptr) return false;
  const int kind = EVP_PKEY_get_base_id(key);
  if (kind == EVP_PKEY_ED25519) return true;
  char group[64] = "";
  size_t size = 0;
  return kind == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group, sizeof(group), &size) == 1 &&
         absl::string_view(group, size) == SN_X9_62_prime256v1;
}

absl::StatusOr<OwnedCertificate> MakeCertificate(
    const CertificateProfile& profile, EVP_PKEY* subject_key, X509* issuer,
    EVP_PKEY* issuer_key) {
  OwnedCertificate made(X509_new());
  if (made == nullptr || X509_set_version(made.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(made.get(), subject_key) != 1) {
    return OpenSslError(absl::StatusCode::kInternal, "make a certificate");
  }
  X509* const signer = issuer == nullptr ? made.get() : issuer;
  FOREWARN_RETURN_IF_ERROR(SetSerial(made.get()));
  FOREWARN_RETURN_IF_ERROR(SetCommonName(made.get(), profile.common_name));
  FOREWARN_RETURN_IF_ERROR(
      SetTime(X509_getm_notBefore(made.get()), profile.not_before));
  FOREWARN_RETURN_IF_ERROR(
      SetTime(X509_getm_notAfter(made.get()), profile.not_after));
  if (X509_set_issuer_name(made.get(), X509_get_subject_name(signer)) != 1) {
    return OpenSslError(absl::StatusCode::kInternal, "name the issuer");
  }
  FOREWARN_RETURN_IF_ERROR(AddExtensions(made.get(), signer, profile.use));
  FOREWARN_RETURN_IF_ERROR(AddAlternativeNames(made.get(), profile));
  if (X509_sign(made.get(), issuer_key, EVP_sha256()) == 0) {
    return OpenSslError(absl::StatusCode::kInternal, "sign a certificate");
  }
  return made;
}

std::string SerialOf(const X509* certificate) {
  OwnedNumber number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* text = number == nullptr ? nullptr : BN_bn2hex(number.get());
  if (text == nullptr) return "";
  const std::string serial = absl::AsciiStrToLower(text);
  OPENSSL_free(text);
  return serial;
}

absl::StatusOr<absl::Time> NotBefore(const X509* certificate) {
  return GetTime(X509_get0_notBefore(certificate));
}

absl::StatusOr<absl::Time> NotAfter(const X509* certificate) {
  return GetTime(X509_get0_notAfter(certificate));
}

std::vector<std::string> NamesOf(X509* certificate) {
  return AlternativeNames(certificate, false);
}

std::vector<std::string> UrisOf(X509* certificate) {
  return AlternativeNames(certificate, true);
}

std::string ShowIpAddress(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(address) != 16) return "";
  inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof(text));
  return text;
}

std::string PinOf(const X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return "";
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(der, static_cast<size_t>(size), digest);
  OPENSSL_free(der);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

absl::Status CheckIssued(X509* certificate, X509* root, Use use,
                         absl::Time at) {
  OwnedStore store(X509_STORE_new());
  OwnedStoreContext context(X509_STORE_CTX_new());
  if (store == nullptr || context == nullptr ||
      X509_STORE_add_cert(store.get(), root) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), certificate, nullptr) !=
          1) {
    return OpenSslError(absl::StatusCode::kInternal, "check a certificate");
  }
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, absl::ToTimeT(at));
  X509_VERIFY_PARAM_set_purpose(rules, use == Use::kServer
                                           ? X509_PURPOSE_SSL_SERVER
                                           : X509_PURPOSE_SSL_CLIENT);
  if (X509_verify_cert(context.get()) == 1) return absl::OkStatus();
  ERR_clear_error();
  return absl::UnauthenticatedError(absl::StrCat(
      "check a certificate: ",
      X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))));
}

bool IsSignature(EVP_PKEY* key, absl::string_view data,
                 absl::string_view signature) {
  OwnedDigestContext context(EVP_MD_CTX_new());
  const EVP_MD* digest =
      EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  const bool good =
      context != nullptr &&
      EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
      EVP_DigestVerify(context.get(),
                       reinterpret_cast<const unsigned char*>(signature.data()),
                       signature.size(),
                       reinterpret_cast<const unsigned char*>(data.data()),
                       data.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace forewarn::identity
