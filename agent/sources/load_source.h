#ifndef FOREWARN_AGENT_SOURCES_LOAD_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_LOAD_SOURCE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// Load averages from /proc/loadavg, also by logical CPU, and the threads that
// run or wait for i/o from /proc/stat.
class LoadSource final : public Source {
 public:
  // `files` must outlive it.
  explicit LoadSource(const HostFiles& files) : files_(files) {}

  absl::string_view name() const override { return "load"; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  const HostFiles& files_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_LOAD_SOURCE_H_
