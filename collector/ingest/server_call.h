#ifndef FOREWARN_COLLECTOR_INGEST_SERVER_CALL_H_
#define FOREWARN_COLLECTOR_INGEST_SERVER_CALL_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "protos/wire/grpc_frames.h"

struct nghttp2_session;

namespace forewarn::ingest {

// The collector's end of one agent's HTTP/2 connection, without the
// connection: bytes in, bytes out. It takes one gRPC call of one method, for
// as long as the connection lives. HTTP/2 is nghttp2's. Thread-compatible.
class ServerCall {
 public:
  // What the call brings; called from Receive.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnCall() = 0;
    // Not OK ends the call with that status.
    virtual absl::Status OnMessage(absl::string_view message) = 0;
    // The peer sends no more.
    virtual void OnHalfClose() = 0;
  };

  // `path` as in "/package.Service/Method". `handler` must outlive it.
  ServerCall(absl::string_view path, size_t max_message_bytes,
             Handler& handler);
  ~ServerCall();
  ServerCall(const ServerCall&) = delete;
  ServerCall& operator=(const ServerCall&) = delete;

  // Bytes of the connection. False when they are no HTTP/2: once the output
  // is taken the connection may be closed.
  bool Receive(absl::string_view bytes);

  // Appends what is to be written next, at most about 64 KiB at a time; false
  // when there is nothing, for now.
  bool TakeOutput(std::string& bytes);

  // Queues one message; ignored once the call has ended.
  void Send(absl::string_view message);
  // Ends the call: what was queued, then the status. The first one counts.
  void Finish(const absl::Status& status);
  // Asks the peer for a sign of life.
  void Ping();

  bool finished() const { return finished_; }
  // Nothing more will come or go: the connection may be closed.
  bool over() const;
  size_t unsent_bytes() const { return unsent_.bytes(); }

 private:
  struct Callbacks;

  void BeginAnswer();
  void OnRequest();
  void Resume();

  const std::string path_;
  Handler& handler_;
  nghttp2_session* session_ = nullptr;
  int32_t stream_ = 0;
  wire::GrpcFrames frames_;
  std::string asked_path_;
  std::string method_;
  std::string content_type_;
  wire::GrpcOutput unsent_;
  bool answering_ = false;  // headers were submitted
  bool deferred_ = false;
  bool finished_ = false;
  bool broken_ = false;
  absl::Status status_;
};

}  // namespace forewarn::ingest

#endif  // FOREWARN_COLLECTOR_INGEST_SERVER_CALL_H_
