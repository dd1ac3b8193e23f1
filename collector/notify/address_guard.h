#ifndef FOREWARN_COLLECTOR_NOTIFY_ADDRESS_GUARD_H_
#define FOREWARN_COLLECTOR_NOTIFY_ADDRESS_GUARD_H_

#include <curl/curl.h>
#include <sys/socket.h>

#include "absl/strings/string_view.h"

namespace forewarn::notify {

enum class AddressKind { kPublic, kLoopback, kPrivate };

// What kind of network the address belongs to, embedded IPv4 addresses seen
// through; anything that is no ordinary unicast address counts as private.
AddressKind KindOf(const sockaddr* address);

// An IP address in its usual form ("127.0.0.1", "::1"), or "localhost".
bool IsLoopbackName(absl::string_view host);

// Decides on the address a transfer really connects to, so that a name cannot
// lead it into the inner network by what it resolves to. One per transfer.
class AddressGuard {
 public:
  AddressGuard(bool allow_private, bool allow_loopback)
      : allow_private_(allow_private), allow_loopback_(allow_loopback) {}

  // The guard must outlive the transfer.
  void Watch(CURL* curl);
  // Whether an address was refused.
  bool refused() const { return refused_; }

 private:
  static curl_socket_t Open(void* guard, curlsocktype purpose,
                            curl_sockaddr* address);

  const bool allow_private_;
  const bool allow_loopback_;
  bool refused_ = false;
};

}  // namespace forewarn::notify

#endif  // FOREWARN_COLLECTOR_NOTIFY_ADDRESS_GUARD_H_
