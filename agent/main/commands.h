#ifndef FOREWARN_AGENT_MAIN_COMMANDS_H_
#define FOREWARN_AGENT_MAIN_COMMANDS_H_

#include <string>

#include "agent/main/settings.h"

// What forewarn-agent does besides `run`. Each returns its exit code and
// writes its result to standard output, errors to standard error.
namespace forewarn::agent {

struct EnrollArguments {
  std::string token;
  std::string token_file;  // "-" = standard input
  bool replace = false;    // an enrolment that is there
};
int EnrollCommand(const Settings& settings, const EnrollArguments& arguments);

// `output`: table or json.
int StatusCommand(const Settings& settings, const std::string& output);

// `output`: table, json or markdown (the catalogue).
int SourcesCommand(const Settings& settings, const std::string& output);

// `output`: table or json. Exit code 8 when a check fails.
int DoctorCommand(const Settings& settings, const std::string& output);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_MAIN_COMMANDS_H_
