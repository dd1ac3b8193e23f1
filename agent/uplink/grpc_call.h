#ifndef FOREWARN_AGENT_UPLINK_GRPC_CALL_H_
#define FOREWARN_AGENT_UPLINK_GRPC_CALL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "protos/wire/grpc_frames.h"

struct nghttp2_session;

namespace forewarn::agent {

// One bidirectional gRPC call on an HTTP/2 connection of its own, without the
// connection: bytes in, bytes out. HTTP/2 is nghttp2's; here are gRPC's
// framing and status ("gRPC over HTTP2", the protocol's own description).
// Thread-compatible.
class GrpcCall {
 public:
  // `path` as in "/package.Service/Method"; `authority` is host:port.
  GrpcCall(absl::string_view authority, absl::string_view path,
           size_t max_message_bytes);
  ~GrpcCall();
  GrpcCall(const GrpcCall&) = delete;
  GrpcCall& operator=(const GrpcCall&) = delete;

  // Queues one message. Ignored once the call has ended.
  void Send(absl::string_view message);
  // No more messages will be sent.
  void HalfClose();
  // Ends the call on both sides at once.
  void Cancel();
  // Asks the peer for a sign of life; `pinging` until it answers.
  void Ping();
  bool pinging() const { return pinging_; }

  // Bytes to write to the connection next; false when there are none, for now.
  bool TakeOutput(std::string& bytes);
  // Messages that flow control has kept back, in bytes.
  size_t unsent_bytes() const { return unsent_.bytes(); }

  // Bytes that the connection brought. What is no HTTP/2 ends the call, at
  // the latest when the output that says so was taken.
  absl::Status Receive(absl::string_view bytes);
  // The next whole message; nullopt when none is there yet.
  std::optional<std::string> NextMessage();

  bool ended() const { return status_.has_value(); }
  // Once it has ended. OK is the peer's own word.
  absl::Status status() const;

 private:
  struct Callbacks;

  void End(absl::Status status);
  void EndByTrailers();
  void EndWithSession();
  void Resume();

  nghttp2_session* session_ = nullptr;
  int32_t stream_ = -1;
  wire::GrpcFrames frames_;
  wire::GrpcOutput unsent_;
  bool half_closed_ = false;
  bool deferred_ = false;
  bool pinging_ = false;

  int http_status_ = 0;
  std::optional<int> grpc_status_;
  std::string grpc_message_;
  std::optional<absl::Status> status_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_UPLINK_GRPC_CALL_H_
