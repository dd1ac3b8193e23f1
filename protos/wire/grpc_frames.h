#ifndef FOREWARN_PROTOS_WIRE_GRPC_FRAMES_H_
#define FOREWARN_PROTOS_WIRE_GRPC_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace forewarn::wire {

// gRPC's framing inside an HTTP/2 stream ("gRPC over HTTP2", the protocol's
// own description): before each message one byte of flags and four of length.

inline constexpr size_t kGrpcPrefix = 5;

// The one call between agent and collector.
inline constexpr char kReportPath[] = "/forewarn.v1.Telemetry/Report";

// Appends one message, uncompressed.
void AppendGrpcFrame(absl::string_view message, std::string& out);

// Messages that wait to be sent. Thread-compatible.
class GrpcOutput {
 public:
  void Append(absl::string_view message);
  // Moves at most `size` bytes to `out`; how many.
  size_t Take(uint8_t* out, size_t size);
  size_t bytes() const { return bytes_.size() - begin_; }

 private:
  std::string bytes_;
  size_t begin_ = 0;
};

// Joins what arrives in pieces. Thread-compatible.
class GrpcFrames {
 public:
  explicit GrpcFrames(size_t max_message_bytes)
      : max_message_bytes_(max_message_bytes) {}

  // kResourceExhausted as soon as a message is announced that is larger than
  // allowed; kUnimplemented for a compressed one.
  absl::Status Append(absl::string_view bytes);

  // The next whole message, a view that the next Append ends; false when
  // there is none yet.
  bool Next(absl::string_view& message);

 private:
  absl::Status Check() const;

  const size_t max_message_bytes_;
  std::string bytes_;
  size_t begin_ = 0;  // always where a prefix begins
};

// A status's message as a header: all but printable ASCII percent-encoded.
std::string PercentEncoded(absl::string_view text);
std::string PercentDecoded(absl::string_view text);

}  // namespace forewarn::wire

#endif  // FOREWARN_PROTOS_WIRE_GRPC_FRAMES_H_
