#include "collector/cli/program.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "collector/cli/command_line.h"
#include "collector/cli/output.h"
#include "collector/cli/screen_text.h"
#include "collector/cli/session.h"

namespace forewarn::cli {
namespace {

// https://no-color.org: any value but the empty one means none.
bool WantsColor(const Surroundings& surroundings) {
  if (!surroundings.terminal) return false;
  if (auto no = surroundings.environment("NO_COLOR"); no && !no->empty()) {
    return false;
  }
  return surroundings.environment("TERM").value_or("dumb") != "dumb";
}

void Tell(const Surroundings& surroundings, const absl::Status& status,
          absl::string_view next) {
  surroundings.err << "forewarn: "
                   << InertLines(absl::string_view(status.message())) << "\n";
  if (!next.empty()) surroundings.err << "  next: " << next << "\n";
}

}  // namespace

ExitCode RunProgram(const std::vector<std::string>& arguments,
                    const Surroundings& surroundings) {
  const auto line = ParseCommandLine(arguments);
  if (!line.ok()) {
    Tell(surroundings, line.status(), "");
    return ExitCode::kUsage;
  }
  if (!line->text.empty()) {
    surroundings.out << line->text;
    return ExitCode::kOk;
  }
  Output output(surroundings.out, surroundings.err, WantsColor(surroundings),
                surroundings.terminal ? surroundings.width : 0);
  output.set_format(line->format);
  Session session(surroundings.environment, surroundings.in, output);
  const absl::Status status = line->run(session);
  surroundings.out.flush();
  if (status.ok()) {
    // A full disk or a reader that went away must not look like success.
    return surroundings.out.good() ? ExitCode::kOk : ExitCode::kFailure;
  }
  const ExitCode code = ExitCodeOf(status);
  Tell(surroundings, status, NextStep(code));
  return code;
}

}  // namespace forewarn::cli
