#ifndef FOREWARN_PROTOS_NET_HTTP2_HEADER_H_
#define FOREWARN_PROTOS_NET_HTTP2_HEADER_H_

#include <nghttp2/nghttp2.h>

#include "absl/strings/string_view.h"

namespace forewarn::net {

// A header field for nghttp2, which copies it.
inline nghttp2_nv Http2Header(absl::string_view name, absl::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
          name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace forewarn::net

#endif  // FOREWARN_PROTOS_NET_HTTP2_HEADER_H_
