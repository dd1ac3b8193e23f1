#include "collector/api/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace forewarn::api {
namespace {

constexpr char kCiphers12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

absl::Status TlsError(absl::string_view deed) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return absl::InvalidArgumentError(
      absl::StrCat(deed, ": ", reason == nullptr ? "no reason given" : reason));
}

int ChooseHttp11(SSL*, const unsigned char** chosen, unsigned char* length,
                 const unsigned char* offered, unsigned int offered_length,
                 void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  if (SSL_select_next_proto(const_cast<unsigned char**>(chosen), length,
                            kHttp11, sizeof(kHttp11) - 1, offered,
                            offered_length) == OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

void AppendStamp(const std::string& path, std::string& stamp) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return;
  absl::StrAppend(&stamp, info.st_ino, ":", info.st_size, ":",
                  info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec, ";");
}

}  // namespace

void TlsContextDeleter::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

absl::StatusOr<TlsContext> MakeTlsContext(const std::string& certificate_path,
                                          const std::string& key_path) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return TlsError("make TLS context");
  SSL_CTX* raw = context.get();
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(raw, ChooseHttp11, nullptr);
  if (SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(raw, kCiphers12) != 1) {
    return TlsError("set TLS versions and ciphers");
  }
  if (SSL_CTX_use_certificate_chain_file(raw, certificate_path.c_str()) != 1) {
    return TlsError(absl::StrCat("read certificate ", certificate_path));
  }
  if (SSL_CTX_use_PrivateKey_file(raw, key_path.c_str(), SSL_FILETYPE_PEM) !=
          1 ||
      SSL_CTX_check_private_key(raw) != 1) {
    return TlsError(absl::StrCat("read key ", key_path));
  }
  return context;
}

std::string FilesStamp(const std::string& certificate_path,
                       const std::string& key_path) {
  std::string stamp;
  AppendStamp(certificate_path, stamp);
  AppendStamp(key_path, stamp);
  return stamp;
}

}  // namespace forewarn::api
