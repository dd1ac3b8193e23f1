#include "agent/uplink/grpc_call.h"

#include <nghttp2/nghttp2.h>

#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "protos/net/http2_header.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxReason = 400;
// Room for some acknowledgements; nothing larger comes this way.
constexpr int kWindow = 64 << 10;

// "HTTP to gRPC Status Code Mapping", for a peer that is no gRPC server.
absl::StatusCode CodeOfHttp(int status) {
  switch (status) {
    case 400:
      return absl::StatusCode::kInternal;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kUnknown;
  }
}

// "Errors" of "gRPC over HTTP2": what a reset without a status means.
absl::StatusCode CodeOfReset(uint32_t error) {
  switch (error) {
    case NGHTTP2_REFUSED_STREAM:
    case NGHTTP2_NO_ERROR:
      return absl::StatusCode::kUnavailable;
    case NGHTTP2_CANCEL:
      return absl::StatusCode::kCancelled;
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return absl::StatusCode::kResourceExhausted;
    case NGHTTP2_INADEQUATE_SECURITY:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

// What nghttp2 calls; `user` is the call.
struct GrpcCall::Callbacks {
  static GrpcCall& Of(void* user) { return *static_cast<GrpcCall*>(user); }

  static ssize_t ReadBody(nghttp2_session* /*session*/, int32_t /*stream*/,
                          uint8_t* out, size_t size, uint32_t* flags,
                          nghttp2_data_source* /*source*/, void* user) {
    GrpcCall& call = Of(user);
    const size_t count = call.unsent_.Take(out, size);
    if (call.half_closed_ && call.unsent_.bytes() == 0) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (count == 0) {
      call.deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(count);
  }

  static int OnHeader(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                      const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size,
                      uint8_t /*flags*/, void* user) {
    GrpcCall& call = Of(user);
    if (frame->hd.stream_id != call.stream_) return 0;
    const absl::string_view key(reinterpret_cast<const char*>(name), name_size);
    const absl::string_view text(reinterpret_cast<const char*>(value),
                                 value_size);
    int number = 0;
    if (key == ":status" && absl::SimpleAtoi(text, &number)) {
      call.http_status_ = number;
    } else if (key == "grpc-status" && absl::SimpleAtoi(text, &number)) {
      call.grpc_status_ = number;
    } else if (key == "grpc-message") {
      call.grpc_message_ = wire::PercentDecoded(text).substr(0, kMaxReason);
    }
    return 0;
  }

  static int OnFrame(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                     void* user) {
    GrpcCall& call = Of(user);
    if (frame->hd.type == NGHTTP2_PING &&
        (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
      call.pinging_ = false;
    }
    const bool is_end = frame->hd.stream_id == call.stream_ &&
                        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (is_end &&
        (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)) {
      call.EndByTrailers();
    }
    return 0;
  }

  static int OnData(nghttp2_session* session, uint8_t /*flags*/, int32_t stream,
                    const uint8_t* data, size_t size, void* user) {
    GrpcCall& call = Of(user);
    if (stream != call.stream_ || call.ended()) return 0;
    const absl::Status taken = call.frames_.Append(
        absl::string_view(reinterpret_cast<const char*>(data), size));
    if (!taken.ok()) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream,
                                NGHTTP2_CANCEL);
      call.End(absl::Status(
          taken.code(), absl::StrCat("the collector sent ", taken.message())));
    }
    return 0;
  }

  static int OnClose(nghttp2_session* /*session*/, int32_t stream,
                     uint32_t error, void* user) {
    GrpcCall& call = Of(user);
    if (stream != call.stream_) return 0;
    call.End(absl::Status(CodeOfReset(error),
                          absl::StrCat("the collector reset the stream: ",
                                       nghttp2_http2_strerror(error))));
    return 0;
  }
};

GrpcCall::GrpcCall(absl::string_view authority, absl::string_view path,
                   size_t max_message_bytes)
    : frames_(max_message_bytes) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks,
                                                   Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                       Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                            Callbacks::OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                         Callbacks::OnClose);
  nghttp2_session_client_new(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);

  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 16 << 10}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 3);
  const nghttp2_nv headers[] = {
      net::Http2Header(":method", "POST"),
      net::Http2Header(":scheme", "https"),
      net::Http2Header(":path", path),
      net::Http2Header(":authority", authority),
      net::Http2Header("te", "trailers"),
      net::Http2Header("content-type", "application/grpc"),
      net::Http2Header("user-agent", "forewarn-agent"),
  };
  nghttp2_data_provider body{};
  body.read_callback = Callbacks::ReadBody;
  stream_ = nghttp2_submit_request(session_, nullptr, headers,
                                   std::size(headers), &body, nullptr);
}

GrpcCall::~GrpcCall() { nghttp2_session_del(session_); }

void GrpcCall::Send(absl::string_view message) {
  if (ended() || half_closed_) return;
  unsent_.Append(message);
  Resume();
}

void GrpcCall::HalfClose() {
  half_closed_ = true;
  Resume();
}

void GrpcCall::Resume() {
  if (!deferred_) return;
  deferred_ = false;
  nghttp2_session_resume_data(session_, stream_);
}

void GrpcCall::Cancel() {
  if (ended()) return;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream_,
                            NGHTTP2_CANCEL);
  End(absl::CancelledError("cancelled"));
}

void GrpcCall::Ping() {
  pinging_ = true;
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
}

bool GrpcCall::TakeOutput(std::string& bytes) {
  bytes.clear();
  const uint8_t* data = nullptr;
  for (;;) {
    const ssize_t count = nghttp2_session_mem_send(session_, &data);
    if (count <= 0) break;
    bytes.append(reinterpret_cast<const char*>(data),
                 static_cast<size_t>(count));
    if (bytes.size() >= static_cast<size_t>(kWindow)) break;
  }
  EndWithSession();
  return !bytes.empty();
}

absl::Status GrpcCall::Receive(absl::string_view bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0) {
    End(absl::UnavailableError(
        absl::StrCat("the collector's answer is no HTTP/2: ",
                     nghttp2_strerror(static_cast<int>(taken)))));
    return *status_;
  }
  EndWithSession();
  return absl::OkStatus();
}

// The peer said good-bye, or broke the rules and was told so.
void GrpcCall::EndWithSession() {
  if (nghttp2_session_want_read(session_) != 0) return;
  End(absl::UnavailableError(
      "the HTTP/2 connection is over; is it a collector?"));
}

std::optional<std::string> GrpcCall::NextMessage() {
  absl::string_view message;
  if (!frames_.Next(message)) return std::nullopt;
  return std::string(message);
}

absl::Status GrpcCall::status() const {
  return status_.value_or(absl::UnknownError("the call has not ended"));
}

void GrpcCall::EndByTrailers() {
  if (grpc_status_.has_value()) {
    if (*grpc_status_ == 0) return End(absl::OkStatus());
    const bool is_known = *grpc_status_ > 0 && *grpc_status_ <= 16;
    return End(absl::Status(is_known
                                ? static_cast<absl::StatusCode>(*grpc_status_)
                                : absl::StatusCode::kUnknown,
                            grpc_message_));
  }
  End(absl::Status(CodeOfHttp(http_status_),
                   absl::StrCat("HTTP status ", http_status_,
                                " without a gRPC status; is it a collector?")));
}

void GrpcCall::End(absl::Status status) {
  if (!status_.has_value()) status_ = std::move(status);
}

}  // namespace forewarn::agent
