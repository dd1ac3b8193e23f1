#ifndef FOREWARN_AGENT_SOURCES_HOST_FACTS_H_
#define FOREWARN_AGENT_SOURCES_HOST_FACTS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "agent/sources/host_files.h"
#include "forewarn/v1/config.pb.h"
#include "forewarn/v1/telemetry.pb.h"

namespace forewarn::agent {

// What the machine says of itself, with what the configuration says of it.
// A fact that cannot be read stays empty. All texts are cleaned and cut to
// 256 bytes.
//
// Class: the configuration's; else from chassis and battery; a virtual or an
// unknown machine is a server.
v1::EndpointFacts ReadFacts(const HostFiles& files,
                            const v1::AgentConfig& config);

// The kernel's random id of this boot; empty when it does not tell.
std::string ReadBootId(const HostFiles& files);

// What runs this virtual machine or container (kvm, vmware, docker, ...; "vm"
// when it hides its name); empty on bare metal.
std::string ReadVirtualization(const HostFiles& files);

// "server", "workstation", "laptop", "device"; unspecified for another word.
v1::EndpointClass ParseEndpointClass(absl::string_view text);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_HOST_FACTS_H_
