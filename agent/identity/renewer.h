#ifndef FOREWARN_AGENT_IDENTITY_RENEWER_H_
#define FOREWARN_AGENT_IDENTITY_RENEWER_H_

#include <atomic>
#include <functional>
#include <random>
#include <thread>

#include "absl/time/time.h"
#include "agent/identity/https_client.h"
#include "agent/identity/key_store.h"
#include "protos/base/backoff.h"
#include "protos/base/clock.h"

namespace forewarn::agent {

// Keeps the certificate fresh: renews at half its life, a few percent sooner
// or later so that a fleet enrolled at once does not come at once, and tries
// on after it has expired.
//
// Kick is thread-safe; Turn is for the own thread, or the test's.
class Renewer {
 public:
  // All must outlive it. `on_renewed` is called by the own thread.
  Renewer(base::Clock& clock, HttpsClient& client, KeyStore& store,
          uint64_t seed, std::function<void()> on_renewed);
  ~Renewer();

  void Start();
  void Stop();

  // Somebody was refused: looks now whether the certificate has expired.
  void Kick() { alarm_.Wake(); }

  // Renews if it is time. Returns how long until the next look.
  absl::Duration Turn();

 private:
  base::Clock& clock_;
  HttpsClient& client_;
  KeyStore& store_;
  const std::function<void()> on_renewed_;
  std::mt19937_64 random_;
  double share_ = 0;  // of its life, when the certificate is renewed
  base::Backoff backoff_;
  absl::Duration not_before_;  // since boot; of the next try after a failure

  base::Alarm alarm_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_IDENTITY_RENEWER_H_
