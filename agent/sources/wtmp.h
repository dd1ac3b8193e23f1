#ifndef FOREWARN_AGENT_SOURCES_WTMP_H_
#define FOREWARN_AGENT_SOURCES_WTMP_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace forewarn::agent {

// The boot that /var/log/wtmp noted last.
struct NotedBoot {
  absl::Time time;
  // Whether an orderly shutdown came before: init notes one just before it
  // goes down.
  bool orderly = false;
};

// nullopt when the file does not tell: no boot in it, or nothing before.
std::optional<NotedBoot> LastNotedBoot(absl::string_view wtmp);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_WTMP_H_
