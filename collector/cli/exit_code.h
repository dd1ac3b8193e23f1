#ifndef FOREWARN_COLLECTOR_CLI_EXIT_CODE_H_
#define FOREWARN_COLLECTOR_CLI_EXIT_CODE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace forewarn::cli {

// What `forewarn` exits with; scripts depend on these numbers.
enum class ExitCode {
  kOk = 0,
  kFailure = 1,
  kUsage = 2,
  kSignIn = 4,  // no credentials, or they do not suffice
  kNotFound = 5,
  kConflict = 6,     // the workflow does not allow it
  kUnreachable = 7,  // no collector there, or not the one we trust
  kCheckFailed = 8,  // rule check or doctor found something
};

ExitCode ExitCodeOf(const absl::Status& status);

// What a person can do about it; empty when the error itself says so.
absl::string_view NextStep(ExitCode code);

}  // namespace forewarn::cli

#endif  // FOREWARN_COLLECTOR_CLI_EXIT_CODE_H_
