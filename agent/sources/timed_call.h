#ifndef FOREWARN_AGENT_SOURCES_TIMED_CALL_H_
#define FOREWARN_AGENT_SOURCES_TIMED_CALL_H_

#include <signal.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "protos/base/mutex.h"

namespace forewarn::agent {

// Work that offers no time-out of its own (a name look-up, a foreign
// library), on a thread of its own, waited for only so long. One that hangs
// keeps its thread until it returns; meanwhile no second is started.
// Thread-compatible.
template <typename T>
class TimedCall {
 public:
  TimedCall() = default;
  // Gives a call under way a moment to end; then leaves it alone.
  ~TimedCall() { Wait(absl::Seconds(2)); }
  TimedCall(const TimedCall&) = delete;
  TimedCall& operator=(const TimedCall&) = delete;

  // False while the call before still runs, or when no thread can be had.
  // `work` must own all it uses: it may outlive this object.
  bool Start(std::function<T()> work) {
    if (state_ != nullptr) {
      base::MutexLock lock(&state_->mutex);
      if (!state_->done) return false;
    }
    // Two lifetimes: this object's and the thread's.
    auto state = std::make_shared<State>();
    try {
      std::thread([state, work = std::move(work)] {
        // A peer that closes must not end the agent; the signal is sent to
        // the thread that writes.
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
        T result = work();
        base::MutexLock lock(&state->mutex);
        state->result = std::move(result);
        state->done = true;
        state->finished.NotifyAll();
      }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    state_ = std::move(state);
    return true;
  }

  // The result of the call started last, once; nothing when it is not there
  // within `timeout`, or was never started.
  std::optional<T> Wait(absl::Duration timeout) {
    if (state_ == nullptr) return std::nullopt;
    const auto deadline =
        std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
    base::MutexLock lock(&state_->mutex);
    while (!state_->done) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) return std::nullopt;
      state_->finished.WaitFor(&state_->mutex, left);
    }
    return std::exchange(state_->result, std::nullopt);
  }

 private:
  struct State {
    base::Mutex mutex;
    base::CondVar finished;
    std::optional<T> result ABSL_GUARDED_BY(mutex);
    bool done ABSL_GUARDED_BY(mutex) = false;
  };

  std::shared_ptr<State> state_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_TIMED_CALL_H_
