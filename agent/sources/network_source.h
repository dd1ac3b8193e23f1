#ifndef FOREWARN_AGENT_SOURCES_NETWORK_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_NETWORK_SOURCE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/sources/host_files.h"
#include "agent/sources/network_interfaces.h"
#include "agent/sources/network_protocols.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// Interfaces and protocols: see the two halves.
class NetworkSource final : public Source {
 public:
  // `files` must outlive it.
  explicit NetworkSource(const HostFiles& files)
      : interfaces_(files), protocols_(files) {}

  absl::string_view name() const override { return "network"; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  NetworkInterfaces interfaces_;
  NetworkProtocols protocols_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_NETWORK_SOURCE_H_
