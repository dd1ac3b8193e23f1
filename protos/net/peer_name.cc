#include "protos/net/peer_name.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "protos/net/socket_address.h"

namespace forewarn::net {

bool ExpectPeer(X509_VERIFY_PARAM* rules, const std::string& host) {
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1) return true;
  ERR_clear_error();
  return X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1;
}

bool ExpectPeer(SSL* session, const std::string& host) {
  if (!ExpectPeer(SSL_get0_param(session), host)) return false;
  return ParseAddress(host, 0).has_value() ||
         SSL_set_tlsext_host_name(session, host.c_str()) == 1;
}

}  // namespace forewarn::net
