#ifndef FOREWARN_AGENT_SAMPLER_SOURCE_THREAD_H_
#define FOREWARN_AGENT_SAMPLER_SOURCE_THREAD_H_

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/sources/source.h"
#include "protos/base/clock.h"
#include "protos/wire/series.h"

namespace forewarn::agent {

// Readings kept until somebody has time for them.
struct KeptReadings final : public ReadingSink {
  struct Reading {
    std::string metric;
    wire::Attributes attributes;
    double value = 0;
  };

  using ReadingSink::Accept;
  void Accept(absl::string_view metric,
              std::initializer_list<AttributeView> attributes,
              double value) override;
  void AcceptEvent(v1::Event event) override;
  void AcceptProcesses(v1::ProcessSnapshot snapshot) override;

  std::vector<Reading> readings;               // at most 10000
  std::vector<v1::Event> events;               // at most 1000
  std::vector<v1::ProcessSnapshot> processes;  // at most 100
  // Refused beyond these bounds.
  uint64_t refused = 0;
};

// A source that may block, on a thread of its own. Used by one thread.
class SourceThread {
 public:
  struct Result {
    KeptReadings kept;
    absl::Status status;
    absl::Duration took;
  };

  // `clock` and what the source borrows must outlive the source's thread,
  // which a source that hangs at the end may keep until the process ends.
  SourceThread(std::unique_ptr<Source> source, base::Clock& clock);

  // Stop, and Join for a second.
  ~SourceThread();
  SourceThread(const SourceThread&) = delete;
  SourceThread& operator=(const SourceThread&) = delete;

  absl::string_view name() const { return name_; }
  absl::Duration interval() const { return interval_; }

  // Begins a reading; false when the one before is not done or not taken.
  bool Ask(const SampleTime& now);

  // What the last reading gave, once.
  std::optional<Result> Take();

  // No more readings.
  void Stop();

  // After Stop. Waits at most `patience` for a reading under way; false when
  // the source still hangs: its thread is then left to itself.
  bool Join(absl::Duration patience);

 private:
  struct State;

  static void Run(const std::shared_ptr<State>& state);

  // Lives as long as this object and as long as the thread.
  const std::shared_ptr<State> state_;
  const std::string name_;
  const absl::Duration interval_;
  std::thread thread_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SAMPLER_SOURCE_THREAD_H_
