#ifndef FOREWARN_TESTS_FAULTS_ROGUE_H_
#define FOREWARN_TESTS_FAULTS_ROGUE_H_

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "agent/identity/key_store.h"
#include "agent/uplink/transport.h"
#include "protos/base/deadline.h"
#include "protos/base/mutex.h"
#include "tests/faults/fault_proxy.h"

namespace forewarn::faults {

// Who means no good, at line rate: an enrolled endpoint that sends batches of
// new series and nonsense without waiting for any ack, and strangers that
// connect to the agents' port and send noise. From its making until Stop, at
// most ten seconds.
class Rogue {
 public:
  Rogue(int port, const agent::Identity& identity, uint64_t seed);
  ~Rogue();

  void Stop();
  uint64_t connections() const { return connections_; }
  uint64_t batches() const { return batches_; }

 private:
  bool done() const {
    return stopping_ || until_.Left() == absl::ZeroDuration();
  }
  void Flood(uint64_t seed);
  void MakeNoise(uint64_t seed);

  const int port_;
  FaultProxy proxy_;  // another machine's address
  const agent::Identity identity_;
  const base::Deadline until_{absl::Seconds(10)};
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> connections_ = 0;
  std::atomic<uint64_t> batches_ = 0;
  std::vector<std::thread> threads_;
  base::Mutex mutex_;
  agent::Stream* open_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace forewarn::faults

#endif  // FOREWARN_TESTS_FAULTS_ROGUE_H_
