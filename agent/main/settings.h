#ifndef FOREWARN_AGENT_MAIN_SETTINGS_H_
#define FOREWARN_AGENT_MAIN_SETTINGS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "forewarn/v1/config.pb.h"

namespace forewarn::agent {

inline constexpr char kDefaultConfig[] = "/etc/forewarn/agent.yaml";
inline constexpr char kDefaultState[] = "/var/lib/forewarn/agent";

// What one run goes by: the configuration with its defaults filled in.
struct Settings {
  std::string config_path;
  bool config_read = false;  // false: the default file is not there
  v1::AgentConfig config;    // state_directory, tick and spool.limit are set

  const std::string& state() const { return config.state_directory(); }
  absl::Duration tick() const;
  std::string PathInState(const std::string& name) const;
};

// Reads `config_path`, or the default file, which may be missing, when it is
// empty. `state`, where given, wins over the file's. Returns every error,
// each "file:line:col: what"; empty = good.
std::vector<std::string> LoadSettings(const std::string& config_path,
                                      const std::string& state,
                                      Settings& settings);

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_MAIN_SETTINGS_H_
