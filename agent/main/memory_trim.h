#ifndef FOREWARN_AGENT_MAIN_MEMORY_TRIM_H_
#define FOREWARN_AGENT_MAIN_MEMORY_TRIM_H_

namespace forewarn::agent {

// Gives back to the system what the allocator keeps free, and drops the
// program's own pages that only its start needed: code and constants that are
// wanted again come back from the page cache, the rest no longer counts.
// Costs some hundred page faults. Thread-safe.
void TrimMemory();

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_MAIN_MEMORY_TRIM_H_
