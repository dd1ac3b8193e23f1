#ifndef FOREWARN_AGENT_SOURCES_PRESSURE_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_PRESSURE_SOURCE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// Time lost to waiting for cpu, memory and i/o, from /proc/pressure (Linux
// 4.20 and later, unless switched off).
class PressureSource final : public Source {
 public:
  // `files` must outlive it.
  explicit PressureSource(const HostFiles& files) : files_(files) {}

  absl::string_view name() const override { return "pressure"; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  const HostFiles& files_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_PRESSURE_SOURCE_H_
