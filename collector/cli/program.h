#ifndef FOREWARN_COLLECTOR_CLI_PROGRAM_H_
#define FOREWARN_COLLECTOR_CLI_PROGRAM_H_

#include <cstddef>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "collector/cli/client_config.h"
#include "collector/cli/exit_code.h"

namespace forewarn::cli {

// What surrounds the program.
struct Surroundings {
  Environment environment;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;  // out is one
  size_t width = 0;       // of the terminal, 0: not known
};

// All of `forewarn` but the process: reads the command line (without the
// program's name), runs the command, tells errors with what to do next.
ExitCode RunProgram(const std::vector<std::string>& arguments,
                    const Surroundings& surroundings);

}  // namespace forewarn::cli

#endif  // FOREWARN_COLLECTOR_CLI_PROGRAM_H_
