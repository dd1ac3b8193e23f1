#include "collector/ingest/server_call.h"

#include <nghttp2/nghttp2.h>

#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protos/net/http2_header.h"

namespace forewarn::ingest {
namespace {

constexpr size_t kOutput = 64 << 10;
// A backlog comes in large batches; a live stream never fills this.
constexpr int kWindow = 256 << 10;
constexpr size_t kMaxReason = 1000;

}  // namespace

// What nghttp2 calls; `user` is the call.
struct ServerCall::Callbacks {
  static ServerCall& Of(void* user) { return *static_cast<ServerCall*>(user); }

  static int OnBeginHeaders(nghttp2_session* session,
                            const nghttp2_frame* frame, void* user) {
    ServerCall& call = Of(user);
    if (frame->hd.type != NGHTTP2_HEADERS ||
        frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
      return 0;
    }
    if (call.stream_ > 0) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                NGHTTP2_REFUSED_STREAM);
    } else {
      call.stream_ = frame->hd.stream_id;
    }
    return 0;
  }

  static int OnHeader(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                      const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size,
                      uint8_t /*flags*/, void* user) {
    ServerCall& call = Of(user);
    if (frame->hd.stream_id != call.stream_) return 0;
    const absl::string_view key(reinterpret_cast<const char*>(name), name_size);
    const std::string text(reinterpret_cast<const char*>(value), value_size);
    if (key == ":path") call.asked_path_ = text;
    if (key == ":method") call.method_ = text;
    if (key == "content-type") call.content_type_ = text;
    return 0;
  }

  static int OnFrame(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                     void* user) {
    ServerCall& call = Of(user);
    if (frame->hd.stream_id != call.stream_ || call.stream_ == 0) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS &&
        frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      call.OnRequest();
    }
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && !call.finished_) {
      call.handler_.OnHalfClose();
    }
    return 0;
  }

  static int OnData(nghttp2_session* /*session*/, uint8_t /*flags*/,
                    int32_t stream, const uint8_t* data, size_t size,
                    void* user) {
    ServerCall& call = Of(user);
    if (stream != call.stream_ || call.finished_) return 0;
    absl::Status status = call.frames_.Append(
        absl::string_view(reinterpret_cast<const char*>(data), size));
    absl::string_view message;
    while (status.ok() && !call.finished_ && call.frames_.Next(message)) {
      status = call.handler_.OnMessage(message);
    }
    if (!status.ok()) call.Finish(status);
    return 0;
  }

  static int OnClose(nghttp2_session* /*session*/, int32_t stream,
                     uint32_t /*error*/, void* user) {
    ServerCall& call = Of(user);
    if (stream != call.stream_) return 0;
    call.finished_ = true;
    call.broken_ = true;  // no other call is taken
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session* session, int32_t stream,
                          uint8_t* out, size_t size, uint32_t* flags,
                          nghttp2_data_source* /*source*/, void* user) {
    ServerCall& call = Of(user);
    const size_t count = call.unsent_.Take(out, size);
    if (call.unsent_.bytes() > 0) return static_cast<ssize_t>(count);
    if (call.finished_) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const std::string code =
          absl::StrCat(static_cast<int>(call.status_.code()));
      const std::string reason =
          wire::PercentEncoded(call.status_.message().substr(0, kMaxReason));
      const nghttp2_nv trailers[] = {net::Http2Header("grpc-status", code),
                                     net::Http2Header("grpc-message", reason)};
      nghttp2_submit_trailer(session, stream, trailers, reason.empty() ? 1 : 2);
      return static_cast<ssize_t>(count);
    }
    if (count > 0) return static_cast<ssize_t>(count);
    call.deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
};

ServerCall::ServerCall(absl::string_view path, size_t max_message_bytes,
                       Handler& handler)
    : path_(path), handler_(handler), frames_(max_message_bytes) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      callbacks, Callbacks::OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks,
                                                   Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                       Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                            Callbacks::OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                         Callbacks::OnClose);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  // What a peer may leave unanswered of our replies to pings and settings.
  nghttp2_option_set_max_outbound_ack(option, 100);
  nghttp2_session_server_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow},
      {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 16 << 10}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings,
                          std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        kWindow);
}

ServerCall::~ServerCall() { nghttp2_session_del(session_); }

void ServerCall::BeginAnswer() {
  if (answering_) return;
  answering_ = true;
  const nghttp2_nv headers[] = {
      net::Http2Header(":status", "200"),
      net::Http2Header("content-type", "application/grpc")};
  nghttp2_data_provider body{};
  body.read_callback = Callbacks::ReadBody;
  nghttp2_submit_response(session_, stream_, headers, std::size(headers),
                          &body);
}

void ServerCall::OnRequest() {
  if (method_ != "POST" || asked_path_ != path_) {
    return Finish(absl::UnimplementedError(
        absl::StrCat("there is no ", method_, " ", asked_path_, " here")));
  }
  if (!absl::StartsWith(content_type_, "application/grpc")) {
    return Finish(absl::UnimplementedError("only application/grpc is taken"));
  }
  BeginAnswer();
  handler_.OnCall();
}

bool ServerCall::Receive(absl::string_view bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0) {
    finished_ = broken_ = true;
    return false;
  }
  return true;
}

bool ServerCall::TakeOutput(std::string& bytes) {
  const size_t before = bytes.size();
  const uint8_t* data = nullptr;
  while (bytes.size() - before < kOutput) {
    const ssize_t count = nghttp2_session_mem_send(session_, &data);
    if (count <= 0) {
      if (count < 0) finished_ = broken_ = true;
      break;
    }
    bytes.append(reinterpret_cast<const char*>(data),
                 static_cast<size_t>(count));
  }
  return bytes.size() > before;
}

void ServerCall::Resume() {
  if (!deferred_) return;
  deferred_ = false;
  nghttp2_session_resume_data(session_, stream_);
}

void ServerCall::Send(absl::string_view message) {
  if (finished_ || stream_ == 0) return;
  unsent_.Append(message);
  Resume();
}

void ServerCall::Finish(const absl::Status& status) {
  if (finished_) return;
  finished_ = true;
  status_ = status;
  if (stream_ == 0) {
    broken_ = true;
  } else {
    BeginAnswer();
    Resume();
  }
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, stream_, NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void ServerCall::Ping() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
}

bool ServerCall::over() const {
  return (broken_ || nghttp2_session_want_read(session_) == 0) &&
         nghttp2_session_want_write(session_) == 0;
}

}  // namespace forewarn::ingest
