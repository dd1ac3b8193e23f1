#ifndef FOREWARN_COLLECTOR_MAIN_SETTINGS_H_
#define FOREWARN_COLLECTOR_MAIN_SETTINGS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "forewarn/v1/config.pb.h"

namespace forewarn::main {

// A configuration with every default filled in.
struct Settings {
  v1::CollectorConfig config;
  std::string state_directory;
  std::string https_address;
  int https_port = 8460;
  std::string agents_address;
  int agents_port = 8461;
  // Into the certificates, and how others reach us.
  std::vector<std::string> certificate_names;
  std::vector<std::string> public_names;
  absl::Duration tick = absl::Seconds(10);
  int shards = 1;
  // What was judged waits so long for more, to be synced and acknowledged
  // together. Not configured: for who plays time faster than it passes.
  absl::Duration commit = absl::Milliseconds(200);

  std::string ca_directory() const { return state_directory + "/ca"; }
  std::string history_directory() const { return state_directory + "/history"; }
  std::string database_path() const { return state_directory + "/desk.db"; }
};

// Reads `path` (or, empty, the default file if there is one) and fills in
// defaults; `state_directory` overrides the file's when not empty. Returns
// every error, each "file:line:col: ...".
std::vector<std::string> LoadSettings(const std::string& path,
                                      const std::string& state_directory,
                                      Settings& settings);

// A configured duration, or `fallback` where there is none.
absl::Duration DurationOr(const google::protobuf::Duration& duration,
                          absl::Duration fallback);

inline constexpr char kDefaultConfig[] = "/etc/forewarn/collector.yaml";
inline constexpr char kDefaultState[] = "/var/lib/forewarn/collector";

}  // namespace forewarn::main

#endif  // FOREWARN_COLLECTOR_MAIN_SETTINGS_H_
