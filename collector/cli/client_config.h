#ifndef FOREWARN_COLLECTOR_CLI_CLIENT_CONFIG_H_
#define FOREWARN_COLLECTOR_CLI_CLIENT_CONFIG_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace forewarn::cli {

// Value of an environment variable, nullopt if unset.
using Environment =
    std::function<std::optional<std::string>(const std::string&)>;

// Where the collector is and who we are there.
struct ClientConfig {
  std::string url;      // https://host:8460
  std::string token;    // fwa1....
  std::string ca_file;  // the only authority we trust; relative to the file
  std::string path;     // of the file itself
};

// $FOREWARN_CONFIG, else $XDG_CONFIG_HOME/forewarn/cli.yaml, else
// ~/.config/forewarn/cli.yaml; empty when none of the three is set.
std::string ClientConfigPath(const Environment& environment);

// Reads it: YAML with url, token and ca_file. kUnauthenticated when there is
// none, kPermissionDenied when others may read it (it holds a secret),
// kInvalidArgument with file:line:col when it is wrong.
absl::StatusOr<ClientConfig> ReadClientConfig(const Environment& environment);

}  // namespace forewarn::cli

#endif  // FOREWARN_COLLECTOR_CLI_CLIENT_CONFIG_H_
