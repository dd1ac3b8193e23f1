#ifndef FOREWARN_AGENT_SAMPLER_SAMPLER_H_
#define FOREWARN_AGENT_SAMPLER_SAMPLER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "agent/batcher/batcher.h"
#include "agent/sampler/source_thread.h"
#include "agent/sources/agent_source.h"
#include "agent/sources/source.h"
#include "protos/base/clock.h"
#include "protos/base/mutex.h"

namespace forewarn::agent {

// Reads each source at its interval, on a monotonic schedule that does not
// drift: ticks that were missed (a suspend, a slow machine) are skipped, not
// made up for. Sources that may block have threads of their own; what they
// read goes into the tick that follows.
//
// SetPace and tick are thread-safe; Turn is the sampler's thread's, or the
// test's.
class Sampler {
 public:
  struct Options {
    absl::Duration tick = absl::Seconds(10);
    // Called by the sampler's thread before each tick, to bring AgentStats up
    // to date.
    std::function<void()> before_tick;
    // Called after the machine has slept for so long.
    std::function<void(absl::Duration slept)> on_resume;
  };

  // `clock`, `batcher` and `stats` must outlive it.
  Sampler(base::Clock& clock, std::vector<std::unique_ptr<Source>> sources,
          Batcher& batcher, AgentStats& stats, Options options);
  ~Sampler();

  void Start();

  // Ends sampling. Waits at most `patience` for sources that block; false
  // when one still hangs: then what it borrows must be left alone.
  bool Stop(absl::Duration patience);

  // Another tick, for `lasting` or, when that is zero, until told again.
  // Held within 1 s and 1 h, `lasting` within a day.
  void SetPace(absl::Duration tick, absl::Duration lasting);

  // So many times the tick, except for one that lasts: to save power, or the
  // processor. 1 at first.
  void SetStretch(uint32_t factor);

  absl::Duration tick() const;

  // Samples when a tick is due. Returns how long until the next is.
  absl::Duration Turn();

 private:
  absl::Duration SteadyTick() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  struct Reading {
    std::unique_ptr<Source> source;  // one of the two
    std::unique_ptr<SourceThread> blocking;
    std::string name;
    absl::Duration interval;
    absl::Duration next_due;
    AgentStats::SourceState state;
    bool logged = false;
  };

  absl::Duration CurrentTick(absl::Duration now);
  void NoticeSleep();
  void ReadInline(Reading& reading, const SampleTime& now);
  void TakeFrom(Reading& reading);
  void Record(Reading& reading, const absl::Status& status, absl::Duration took,
              absl::Duration now);
  void Run();

  base::Clock& clock_;
  Batcher& batcher_;
  AgentStats& stats_;
  const Options options_;
  std::vector<Reading> readings_;
  bool started_ = false;  // a tick was
  absl::Duration next_tick_;
  absl::Duration asleep_;  // so far

  base::Alarm alarm_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;

  mutable base::Mutex mutex_;
  absl::Duration tick_ ABSL_GUARDED_BY(mutex_);
  uint32_t stretch_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::Duration burst_tick_ ABSL_GUARDED_BY(mutex_);
  absl::Duration burst_until_ ABSL_GUARDED_BY(mutex_);  // zero = none
  bool pace_changed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SAMPLER_SAMPLER_H_
