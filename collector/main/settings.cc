#include "collector/main/settings.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protos/wire/proto_time.h"
#include "protos/wire/yaml_to_proto.h"

namespace forewarn::main {
namespace {

constexpr char kLoopback[] = "127.0.0.1";

bool IsLoopback(const std::string& address) {
  return absl::StartsWith(address, "127.") || address == "::1";
}

bool IsAddress(const std::string& text) {
  in_addr v4{};
  in6_addr v6{};
  return inet_pton(AF_INET, text.c_str(), &v4) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &v6) == 1;
}

std::string HostName() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "";
  return name;
}

void AddName(const std::string& name, std::vector<std::string>& names) {
  if (!name.empty() &&
      std::find(names.begin(), names.end(), name) == names.end()) {
    names.push_back(name);
  }
}

// What no single field can say of itself.
void CheckTogether(const std::string& file, const Settings& settings,
                   std::vector<std::string>& errors) {
  for (const auto& [what, address] :
       {std::pair{"https", settings.https_address},
        std::pair{"agents", settings.agents_address}}) {
    if (!IsAddress(address)) {
      errors.push_back(absl::StrCat(file, ": ", what, ": address \"", address,
                                    "\" is not an IP address; 0.0.0.0 means "
                                    "every interface"));
    }
  }
  if (settings.https_port != 0 && settings.https_port == settings.agents_port &&
      settings.https_address == settings.agents_address) {
    errors.push_back(absl::StrCat(file, ": https and agents both use port ",
                                  settings.https_port));
  }
  if (settings.state_directory.empty() ||
      settings.state_directory.front() != '/') {
    errors.push_back(absl::StrCat(file, ": state_directory \"",
                                  settings.state_directory,
                                  "\" must be an absolute path"));
  }
  const v1::HistoryConfig& history = settings.config.history();
  if (history.has_warm_up() &&
      DurationOr(history.raw_retention(), absl::Hours(24 * 30)) <
          DurationOr(history.warm_up(), absl::Hours(24))) {
    errors.push_back(
        absl::StrCat(file, ": history: warm_up is longer than raw_retention"));
  }
}

}  // namespace

absl::Duration DurationOr(const google::protobuf::Duration& duration,
                          absl::Duration fallback) {
  // What was not set reads as the one default instance; 0 s is a wish.
  return &duration == &google::protobuf::Duration::default_instance()
             ? fallback
             : wire::ToDuration(duration);
}

std::vector<std::string> LoadSettings(const std::string& path,
                                      const std::string& state_directory,
                                      Settings& settings) {
  std::vector<std::string> errors;
  std::string file = path;
  if (file.empty() && std::filesystem::exists(kDefaultConfig)) {
    file = kDefaultConfig;
  }
  if (!file.empty()) errors = wire::YamlFileToProto(file, settings.config);
  if (!errors.empty()) return errors;

  const v1::CollectorConfig& config = settings.config;
  settings.state_directory = !state_directory.empty() ? state_directory
                             : !config.state_directory().empty()
                                 ? config.state_directory()
                                 : kDefaultState;
  settings.https_address =
      config.https().address().empty() ? kLoopback : config.https().address();
  settings.agents_address =
      config.agents().address().empty() ? kLoopback : config.agents().address();
  // An explicit 0 means any free port, for tests.
  if (config.has_https() &&
      (config.https().port() != 0 || !config.https().address().empty())) {
    settings.https_port = static_cast<int>(config.https().port());
  }
  if (config.has_agents() &&
      (config.agents().port() != 0 || !config.agents().address().empty())) {
    settings.agents_port = static_cast<int>(config.agents().port());
  }
  settings.tick = DurationOr(config.tick(), absl::Seconds(10));
  settings.shards =
      config.shards() > 0
          ? static_cast<int>(config.shards())
          : std::max(1,
                     static_cast<int>(std::thread::hardware_concurrency()) / 2);

  for (const std::string& name : config.public_names()) {
    AddName(name, settings.public_names);
  }
  const bool only_loopback =
      IsLoopback(settings.https_address) && IsLoopback(settings.agents_address);
  if (settings.public_names.empty()) {
    settings.public_names.push_back(
        only_loopback || HostName().empty() ? "localhost" : HostName());
  }
  settings.certificate_names = settings.public_names;
  for (const std::string& name :
       {std::string("localhost"), std::string("127.0.0.1"), std::string("::1"),
        HostName()}) {
    AddName(name, settings.certificate_names);
  }
  CheckTogether(file.empty() ? "(defaults)" : file, settings, errors);
  return errors;
}

}  // namespace forewarn::main
