#ifndef FOREWARN_AGENT_SOURCES_SOURCE_TABLE_H_
#define FOREWARN_AGENT_SOURCES_SOURCE_TABLE_H_

#include <memory>
#include <string>
#include <vector>

#include "agent/sources/agent_source.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source.h"
#include "forewarn/v1/config.pb.h"

namespace forewarn::agent {

// All sources in the order of their reading, without those that
// `config.disabled_sources` names. `files` and `stats` must outlive them.
std::vector<std::unique_ptr<Source>> MakeSources(const HostFiles& files,
                                                 const v1::AgentConfig& config,
                                                 const AgentStats& stats);

// Where BootSource keeps what it remembers, for MarkOrderlyShutdown; empty
// without a state directory.
std::string BootStatePath(const v1::AgentConfig& config);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_SOURCE_TABLE_H_
