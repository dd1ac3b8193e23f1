#ifndef FOREWARN_AGENT_MAIN_AGENT_H_
#define FOREWARN_AGENT_MAIN_AGENT_H_

#include "agent/main/settings.h"

namespace forewarn::agent {

// `forewarn-agent run`: builds all rooms in the order of the data, runs until
// SIGTERM or SIGINT, stops them in reverse. Returns the exit code: 0, 1 when
// the state folder is unfit, 3 when another agent runs on it.
int RunAgent(const Settings& settings);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_MAIN_AGENT_H_
