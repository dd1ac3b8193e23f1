#ifndef FOREWARN_COLLECTOR_API_TLS_CONTEXT_H_
#define FOREWARN_COLLECTOR_API_TLS_CONTEXT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

struct ssl_ctx_st;

namespace forewarn::api {

struct TlsContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, TlsContextDeleter>;

// A server's TLS: 1.2 and 1.3, forward secret AEAD ciphers, no renegotiation,
// no compression, ALPN http/1.1. kInvalidArgument when certificate or key
// cannot be read or do not belong together.
absl::StatusOr<TlsContext> MakeTlsContext(const std::string& certificate_path,
                                          const std::string& key_path);

// Changes whenever one of the files does; for noticing a new certificate.
std::string FilesStamp(const std::string& certificate_path,
                       const std::string& key_path);

}  // namespace forewarn::api

#endif  // FOREWARN_COLLECTOR_API_TLS_CONTEXT_H_
