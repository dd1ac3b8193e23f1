#ifndef FOREWARN_AGENT_SOURCES_RESOLVER_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_RESOLVER_SOURCE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/source.h"
#include "agent/sources/timed_call.h"
#include "forewarn/v1/config.pb.h"

namespace forewarn::agent {

// The name whose look-up shows that the resolver works: the first collector's,
// else the first that a dns probe asks for; empty where only addresses are
// used.
std::string ResolverName(const v1::AgentConfig& config);

// forewarn.resolver.*: one look-up a minute through the system's resolver.
// kNotFound without a name.
class ResolverSource final : public Source {
 public:
  // Must be callable from another thread and outlive the source's own life.
  using LookUpFunction = std::function<absl::Status(const std::string& name)>;

  explicit ResolverSource(std::string name);
  ResolverSource(std::string name, LookUpFunction look_up,
                 absl::Duration timeout);

  absl::string_view name() const override { return "resolver"; }
  absl::Duration interval() const override { return absl::Minutes(1); }
  bool may_block() const override { return true; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  const std::string host_;
  const LookUpFunction look_up_;
  const absl::Duration timeout_;
  TimedCall<absl::StatusOr<absl::Duration>> call_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_RESOLVER_SOURCE_H_
