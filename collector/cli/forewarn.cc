// The command line of Forewarn.
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "collector/cli/program.h"

int main(int argc, char** argv) {
  // A reader that goes away shall be an error, not a death.
  signal(SIGPIPE, SIG_IGN);
  size_t width = 0;
  if (winsize size{}; ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
    width = size.ws_col;
  }
  const auto environment =
      [](const std::string& name) -> std::optional<std::string> {
    const char* value = getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return static_cast<int>(forewarn::cli::RunProgram(
      std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc),
      {.environment = environment,
       .in = std::cin,
       .out = std::cout,
       .err = std::cerr,
       .terminal = isatty(STDOUT_FILENO) == 1,
       .width = width}));
}
