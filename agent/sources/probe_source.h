#ifndef FOREWARN_AGENT_SOURCES_PROBE_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_PROBE_SOURCE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/probe_check.h"
#include "agent/sources/source.h"
#include "agent/sources/timed_call.h"
#include "forewarn/v1/config.pb.h"

namespace forewarn::agent {

// forewarn.probe.*: the probes of the configuration, each at its own interval
// (default one minute) within its own time-out (default 5 s); those that are
// due run at the same time. An event "forewarn.event.probe_failed" says why,
// when one fails that had not failed before. At most 64; of two with one name
// the first counts.
class ProbeSource final : public Source {
 public:
  using MakeCheck = std::function<std::unique_ptr<ProbeCheck>(
      absl::string_view type, const std::string& target,
      absl::Duration timeout)>;

  explicit ProbeSource(const v1::AgentConfig& config,
                       MakeCheck make_check = MakeProbeCheck);
  ~ProbeSource() override;

  absl::string_view name() const override { return "probe"; }
  absl::Duration interval() const override { return interval_; }
  bool may_block() const override { return true; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  struct Probe;

  void Start(Probe& probe);
  void Finish(Probe& probe, const SampleTime& now, ReadingSink& sink);

  const MakeCheck make_check_;
  std::vector<std::unique_ptr<Probe>> probes_;
  absl::Duration interval_ = absl::Minutes(1);  // the shortest of all probes'
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_PROBE_SOURCE_H_
