#ifndef FOREWARN_COLLECTOR_MAIN_INIT_H_
#define FOREWARN_COLLECTOR_MAIN_INIT_H_

#include <string>

#include "absl/status/status.h"
#include "collector/main/settings.h"

namespace forewarn::main {

// `forewarn-collector init`: state folder, certificate authority, database,
// and a first administrator's API token in a 0600 file that `forewarn` reads.
// What is there already stays; with a credential file present no second token
// is made.
//
// Errors: kAlreadyExists when a collector runs on the folder.
absl::Status Init(const Settings& settings, const std::string& credential_path);

// $FOREWARN_CONFIG, else $XDG_CONFIG_HOME/forewarn/cli.yaml, else
// ~/.config/forewarn/cli.yaml.
std::string DefaultCredentialPath();

}  // namespace forewarn::main

#endif  // FOREWARN_COLLECTOR_MAIN_INIT_H_
