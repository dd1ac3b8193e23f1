#ifndef FOREWARN_COLLECTOR_INGEST_PORT_THREAD_H_
#define FOREWARN_COLLECTOR_INGEST_PORT_THREAD_H_

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "collector/ingest/outbox.h"
#include "collector/ingest/stream_host.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/base/descriptor.h"
#include "protos/net/failure_limiter.h"

namespace forewarn::ingest {

// Who a peer with a certificate of our CA is.
class Doorkeeper {
 public:
  virtual ~Doorkeeper() = default;
  // The endpoint's id; not OK when it may not stream. Thread-safe.
  virtual absl::StatusOr<std::string> Authenticate(
      absl::string_view certificate_pem) = 0;
};

// One thread of the agents' port: accepts, shakes hands, reads, writes, for
// its own connections alone. What the shards say to a stream comes by an
// outbox, with one wake-up for many words. Live connections are served before
// new ones are let in.
class PortThread {
 public:
  // All must outlive it; `listener` is shared by the threads of the port.
  PortThread(int index, StreamHost& host, Doorkeeper& doorkeeper, int listener);
  ~PortThread();

  // kInternal when the certificates cannot be used.
  absl::Status Start();

  // No more connections; those that are open may write for `farewell` what
  // they have to say.
  void Stop(absl::Duration farewell);

 private:
  struct Connection;
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  void Run();
  void Accept();
  void Serve(Connection& connection);
  bool Shake(Connection& connection);
  void NoteOffence(const Connection& connection);
  bool Read(Connection& connection);
  void Flush(Connection& connection);
  void Watch(Connection& connection);
  void ServeLater(Connection& connection, absl::Duration at);
  void ServeDue();
  int Patience() const;
  void DrainOutbox();
  void Sweep();
  void Close(uint64_t id);
  absl::Status LoadCertificates();
  void ReloadCertificates();

  const int index_;
  StreamHost& host_;
  Doorkeeper& doorkeeper_;
  const int listener_;
  const base::Descriptor epoll_;
  const std::shared_ptr<Outbox> outbox_;  // the links have it too
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  int64_t certificates_changed_ = 0;  // Unix seconds, of the file
  absl::flat_hash_map<uint64_t, std::unique_ptr<Connection>> connections_;
  // Those to be served at a time, whatever epoll says.
  absl::btree_set<std::pair<absl::Duration, uint64_t>> due_;
  uint64_t next_id_ = 0;
  bool accepting_ = true;
  // By the source's address.
  net::FailureLimiter offences_;
  v1::AgentMessage scratch_;
  std::vector<char> input_;
  // By the clock that nobody sets.
  absl::Duration now_;
  absl::Duration next_sweep_;
  absl::Duration next_reload_;
  std::atomic<int64_t> stop_within_ms_ = -1;
  std::thread thread_;
};

}  // namespace forewarn::ingest

#endif  // FOREWARN_COLLECTOR_INGEST_PORT_THREAD_H_
