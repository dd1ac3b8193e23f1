// forewarn-agent: flags, configuration, and off to one command.

#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "agent/main/agent.h"
#include "agent/main/commands.h"
#include "agent/main/settings.h"
#include "agent/uplink/grpc_transport.h"
#include "protos/base/logging.h"

namespace {

using forewarn::agent::EnrollArguments;
using forewarn::agent::Settings;

constexpr int kExitUsage = 2;

constexpr char kUsage[] =
    "usage: forewarn-agent run|enroll|status|doctor|sources|--version "
    "(--help tells more)\n";

struct Arguments {
  std::string config;
  std::string state;
  std::string output = "table";
  EnrollArguments enroll;
};

void AddCommon(CLI::App* command, Arguments& arguments) {
  command->add_option("--config", arguments.config,
                      "configuration file; default "
                      "/etc/forewarn/agent.yaml, which may be missing");
  command->add_option("--state", arguments.state,
                      "state folder; default /var/lib/forewarn/agent");
}

void AddOutput(CLI::App* command, Arguments& arguments,
               const std::vector<std::string>& forms) {
  command->add_option("-o,--output", arguments.output, "form of the output")
      ->check(CLI::IsMember(forms));
}

int Run(int argc, char** argv) {
  CLI::App app("Forewarn agent: watches this machine for a collector.",
               "forewarn-agent");
  Arguments arguments;
  app.require_subcommand(1);
  app.set_version_flag("--version",
                       std::string("forewarn-agent ") + FOREWARN_VERSION);
  CLI::App* run = app.add_subcommand("run", "watch this machine");
  CLI::App* enroll =
      app.add_subcommand("enroll", "make this machine known to a collector");
  CLI::App* status =
      app.add_subcommand("status", "what the running agent does");
  CLI::App* doctor =
      app.add_subcommand("doctor", "look for what is wrong, and its remedy");
  CLI::App* sources =
      app.add_subcommand("sources", "read every source and print it");
  for (CLI::App* command : {run, enroll, status, doctor, sources}) {
    AddCommon(command, arguments);
  }
  AddOutput(status, arguments, {"table", "json"});
  AddOutput(doctor, arguments, {"table", "json"});
  AddOutput(sources, arguments, {"table", "json", "markdown"});
  auto* token = enroll->add_option_group("token");
  token->add_option("--token", arguments.enroll.token,
                    "enrolment token; - reads it from standard input");
  token->add_option("--token-file", arguments.enroll.token_file,
                    "file with the token; - is standard input");
  token->require_option(1);
  enroll->add_flag("--replace", arguments.enroll.replace,
                   "enrol anew although this machine is enrolled");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "forewarn-agent: %s\n%s", error.what(), kUsage);
    return kExitUsage;
  }

  Settings settings;
  const std::vector<std::string> errors = forewarn::agent::LoadSettings(
      arguments.config, arguments.state, settings);
  for (const std::string& error : errors) {
    std::fprintf(stderr, "%s\n", error.c_str());
  }
  if (!errors.empty()) return kExitUsage;
  forewarn::base::SetLogLevel(settings.config.log_level());
  if (run->parsed()) return forewarn::agent::RunAgent(settings);
  if (enroll->parsed()) {
    return forewarn::agent::EnrollCommand(settings, arguments.enroll);
  }
  if (status->parsed()) {
    return forewarn::agent::StatusCommand(settings, arguments.output);
  }
  if (doctor->parsed()) {
    return forewarn::agent::DoctorCommand(settings, arguments.output);
  }
  return forewarn::agent::SourcesCommand(settings, arguments.output);
}

}  // namespace

int main(int argc, char** argv) {
  // Before anything starts a thread: one arena, since a dozen threads that
  // allocate little would each keep their own.
  mallopt(M_ARENA_MAX, 1);
  return Run(argc, argv);
}
