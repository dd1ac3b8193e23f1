#ifndef FOREWARN_COLLECTOR_CLI_COMMAND_LINE_H_
#define FOREWARN_COLLECTOR_CLI_COMMAND_LINE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "collector/cli/output.h"
#include "collector/cli/session.h"

namespace forewarn::cli {

// What the words of a command line ask for.
struct CommandLine {
  std::string text;  // for --help and --version: show this and be done
  OutputFormat format = OutputFormat::kTable;
  std::function<absl::Status(Session&)> run;
};

// `arguments` without the program's name. kInvalidArgument with what is wrong
// and the usage line.
absl::StatusOr<CommandLine> ParseCommandLine(
    const std::vector<std::string>& arguments);

}  // namespace forewarn::cli

#endif  // FOREWARN_COLLECTOR_CLI_COMMAND_LINE_H_
