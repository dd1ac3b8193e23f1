#ifndef FOREWARN_AGENT_SOURCES_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_SOURCE_H_

#include <initializer_list>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::agent {

using AttributeView = std::pair<absl::string_view, absl::string_view>;

// Takes what sources read; the sampler implements it.
class ReadingSink {
 public:
  virtual ~ReadingSink() = default;

  // `metric` must be in the catalogue, `attributes` exactly its keys in
  // sorted order. Values are in the catalogue's unit; not finite = dropped.
  virtual void Accept(absl::string_view metric,
                      std::initializer_list<AttributeView> attributes,
                      double value) = 0;
  void Accept(absl::string_view metric, double value) {
    Accept(metric, {}, value);
  }

  virtual void AcceptEvent(v1::Event event) = 0;
  virtual void AcceptProcesses(v1::ProcessSnapshot snapshot) = 0;
};

// The moment of a reading, the same for all sources of a tick.
struct SampleTime {
  absl::Time wall;
  absl::Duration since_boot;  // grows only; for rates
};

// Reads one kind of measurement. Called by one thread at a time, but not
// always by the same.
class Source {
 public:
  virtual ~Source() = default;

  // As in the catalogue's column "source".
  virtual absl::string_view name() const = 0;

  // Not read more often than this; zero = every tick.
  virtual absl::Duration interval() const { return absl::ZeroDuration(); }

  // True when a reading may wait on something outside the kernel's memory
  // (a network, a drive, another process): it then gets a thread of its own
  // and delays no other.
  virtual bool may_block() const { return false; }

  // kNotFound / kUnimplemented: nothing of this kind here, which is no
  // failure. Any other error is counted against the source. What was accepted
  // before an error stays.
  virtual absl::Status Sample(const SampleTime& now, ReadingSink& sink) = 0;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_SOURCE_H_
