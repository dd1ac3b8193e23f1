#ifndef FOREWARN_AGENT_UPLINK_TRANSPORT_H_
#define FOREWARN_AGENT_UPLINK_TRANSPORT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/identity/key_store.h"
#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::agent {

// One stream to one collector. One thread writes, one reads; Cancel is for
// any thread.
class Stream {
 public:
  virtual ~Stream() = default;

  // The first one connects. False when the stream is broken; Finish says why.
  // May block while the collector takes nothing.
  virtual bool Write(const v1::AgentMessage& message) = 0;

  // After the first Write. Blocks; false at the end of the stream.
  virtual bool Read(v1::CollectorMessage& message) = 0;

  // No more writes; the collector may still answer.
  virtual void HalfClose() = 0;

  // Makes Write and Read return soon.
  virtual void Cancel() = 0;

  // Why it ended. Last of all, once nobody writes or reads any more.
  virtual absl::Status Finish() = 0;
};

// How an endpoint reaches collectors: gRPC, or a test's.
class Transport {
 public:
  virtual ~Transport() = default;

  // Does not block and cannot fail: the first Write connects. `collector` is
  // host:port.
  virtual std::unique_ptr<Stream> Open(const std::string& collector,
                                       const Identity& identity) = 0;

  // Whether a handshake with the collector succeeds both ways.
  virtual absl::Status Probe(const std::string& collector,
                             const Identity& identity,
                             absl::Duration timeout) = 0;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_UPLINK_TRANSPORT_H_
