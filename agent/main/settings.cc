#include "agent/main/settings.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "protos/base/files.h"
#include "protos/net/host_port.h"
#include "protos/wire/yaml_to_proto.h"

namespace forewarn::agent {
namespace {

constexpr int64_t kDefaultTickSeconds = 10;
constexpr uint64_t kDefaultSpoolBytes = uint64_t{64} << 20;

// "line:column" where the value stands; what the reader checks itself it
// tells better, but it knows no hosts.
std::string PlaceOf(const std::string& value, const std::string& path) {
  constexpr uint64_t kMaxFile = 4 << 20;
  const absl::StatusOr<std::string> text =
      base::Files::Posix().Read(path, kMaxFile);
  const size_t at = text.ok() ? text->find(value) : std::string::npos;
  if (at == std::string::npos) return "1:1";
  const size_t line_start = text->rfind('\n', at) + 1;  // npos + 1 = 0
  return absl::StrCat(
      1 + std::count(text->begin(),
                     text->begin() + static_cast<std::ptrdiff_t>(at), '\n'),
      ":", at - line_start + 1);
}

}  // namespace

absl::Duration Settings::tick() const {
  return absl::Seconds(config.tick().seconds()) +
         absl::Nanoseconds(config.tick().nanos());
}

std::string Settings::PathInState(const std::string& name) const {
  return absl::StrCat(state(), "/", name);
}

std::vector<std::string> LoadSettings(const std::string& config_path,
                                      const std::string& state,
                                      Settings& settings) {
  settings.config_path = config_path.empty() ? kDefaultConfig : config_path;
  settings.config_read =
      !config_path.empty() || access(kDefaultConfig, F_OK) == 0;
  std::vector<std::string> errors;
  v1::AgentConfig& config = settings.config;
  if (settings.config_read) {
    errors = wire::YamlFileToProto(settings.config_path, config);
  }
  for (const std::string& collector : config.collectors()) {
    if (net::ParseHostPort(collector).ok()) continue;
    errors.push_back(absl::StrCat(
        settings.config_path, ":", PlaceOf(collector, settings.config_path),
        ": collectors: \"", collector, "\" must be host:port"));
  }
  if (!state.empty()) config.set_state_directory(state);
  if (config.state_directory().empty()) {
    config.set_state_directory(kDefaultState);
  }
  // A trailing slash would make two names of one folder.
  while (config.state_directory().size() > 1 &&
         config.state_directory().back() == '/') {
    config.mutable_state_directory()->pop_back();
  }
  if (settings.tick() <= absl::ZeroDuration()) {
    config.mutable_tick()->set_seconds(kDefaultTickSeconds);
  }
  if (config.spool().limit().bytes() == 0) {
    config.mutable_spool()->mutable_limit()->set_bytes(kDefaultSpoolBytes);
  }
  return errors;
}

}  // namespace forewarn::agent
