#ifndef FOREWARN_AGENT_SOURCES_NETWORK_PROTOCOLS_H_
#define FOREWARN_AGENT_SOURCES_NETWORK_PROTOCOLS_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// The protocols' half of NetworkSource: TCP, UDP, sockets and connection
// tracking from /proc/net/snmp, netstat, sockstat and sockstat6.
class NetworkProtocols {
 public:
  // `files` must outlive it.
  explicit NetworkProtocols(const HostFiles& files) : files_(files) {}

  absl::Status Sample(const SampleTime& now, ReadingSink& sink);

 private:
  absl::Status SampleSnmp(const SampleTime& now, ReadingSink& sink);
  absl::Status SampleNetstat(ReadingSink& sink) const;
  absl::Status SampleSockets(ReadingSink& sink) const;
  void SampleConntrack(ReadingSink& sink) const;

  const HostFiles& files_;
  bool has_before_ = false;
  uint64_t sent_ = 0;
  uint64_t resent_ = 0;
  absl::Duration last_since_boot_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_NETWORK_PROTOCOLS_H_
