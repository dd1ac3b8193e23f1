#ifndef FOREWARN_AGENT_SOURCES_MEMORY_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_MEMORY_SOURCE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// Memory and swap from /proc/meminfo, paging and out-of-memory kills from
// /proc/vmstat, memory errors from EDAC in /sys/devices/system/edac.
//
// The states of system.memory.usage add up to all memory: "used" is what is
// neither free, cache, buffer nor slab. Whether memory is short says
// forewarn.memory.used, which goes by what the kernel calls available.
class MemorySource final : public Source {
 public:
  // `files` must outlive it.
  explicit MemorySource(const HostFiles& files) : files_(files) {}

  absl::string_view name() const override { return "memory"; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  absl::Status SampleMeminfo(ReadingSink& sink) const;
  absl::Status SampleVmstat(ReadingSink& sink) const;
  void SampleEcc(ReadingSink& sink) const;

  const HostFiles& files_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_MEMORY_SOURCE_H_
