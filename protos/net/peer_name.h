#ifndef FOREWARN_PROTOS_NET_PEER_NAME_H_
#define FOREWARN_PROTOS_NET_PEER_NAME_H_

#include <openssl/ssl.h>

#include <string>

namespace forewarn::net {

// Demands that the peer's certificate is for `host`: an address is looked for
// among its addresses, a name among its names. False when OpenSSL refuses the
// name.
bool ExpectPeer(X509_VERIFY_PARAM* rules, const std::string& host);
// And tells the peer the name that is asked for.
bool ExpectPeer(SSL* session, const std::string& host);

}  // namespace forewarn::net

#endif  // FOREWARN_PROTOS_NET_PEER_NAME_H_
