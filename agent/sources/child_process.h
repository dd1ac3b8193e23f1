#ifndef FOREWARN_AGENT_SOURCES_CHILD_PROCESS_H_
#define FOREWARN_AGENT_SOURCES_CHILD_PROCESS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace forewarn::agent {

struct ChildLimits {
  absl::Duration timeout = absl::Seconds(20);
  size_t output_bytes = 1 << 20;
};

struct ChildOutput {
  int exit_code = 0;
  std::string text;  // standard output
};

// Runs the program at the absolute path arguments[0], without a shell, with
// an empty standard input, standard error dropped and a fixed environment,
// and waits for its end. Beyond a limit the child is killed:
// kDeadlineExceeded, kResourceExhausted. kNotFound: no such program.
// kAborted: ended by a signal. Thread-safe.
absl::StatusOr<ChildOutput> RunChild(const std::vector<std::string>& arguments,
                                     const ChildLimits& limits);

// The absolute path of `program` in /usr/sbin, /usr/bin or /sbin; empty when
// it is in none of them.
std::string FindProgram(absl::string_view program);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_CHILD_PROCESS_H_
