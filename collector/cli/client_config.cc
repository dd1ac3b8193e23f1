#include "collector/cli/client_config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "protos/base/status.h"
#include "yaml-cpp/yaml.h"

namespace forewarn::cli {
namespace {

constexpr off_t kLargest = 64 * 1024;

// The file's text, if it is ours alone.
absl::StatusOr<std::string> ReadPrivate(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return absl::UnauthenticatedError(
          absl::StrCat("there is no file ", path));
    }
    return base::ErrnoStatus(errno, absl::StrCat("open ", path));
  }
  const absl::Cleanup closer = [file] { close(file); };
  struct stat info {};
  if (fstat(file, &info) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("look at ", path));
  }
  if (!S_ISREG(info.st_mode) || info.st_size > kLargest) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is no configuration file"));
  }
  if ((info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(absl::StrFormat(
        "%s holds a token but others may use it (mode %04o); run chmod 600 %s",
        path, info.st_mode & 07777, path));
  }
  std::string text(static_cast<size_t>(info.st_size), '\0');
  const ssize_t count = read(file, text.data(), text.size());
  if (count < 0) return base::ErrnoStatus(errno, absl::StrCat("read ", path));
  text.resize(static_cast<size_t>(count));
  return text;
}

absl::Status Wrong(const std::string& path, const YAML::Mark& mark,
                   absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ":", mark.line + 1, ":", mark.column + 1, ": ", what));
}

absl::Status Fill(const std::string& path, const YAML::Node& root,
                  ClientConfig& config) {
  if (!root.IsMap()) {
    return Wrong(path, root.Mark(), "expected the keys url, token and ca_file");
  }
  for (const auto& entry : root) {
    const std::string key = entry.first.as<std::string>();
    std::string* field = key == "url"       ? &config.url
                         : key == "token"   ? &config.token
                         : key == "ca_file" ? &config.ca_file
                                            : nullptr;
    if (field == nullptr) {
      return Wrong(path, entry.first.Mark(),
                   "unknown key; there are url, token and ca_file");
    }
    if (!entry.second.IsScalar()) {
      return Wrong(path, entry.second.Mark(),
                   absl::StrCat(key, " must be a text"));
    }
    *field = entry.second.as<std::string>();
  }
  for (const auto& [key, value] :
       {std::pair{"url", config.url}, std::pair{"token", config.token},
        std::pair{"ca_file", config.ca_file}}) {
    if (value.empty()) {
      return Wrong(path, root.Mark(), absl::StrCat(key, " is missing"));
    }
  }
  if (!absl::StartsWith(config.url, "https://")) {
    return Wrong(path, root["url"].Mark(),
                 "url must be https://host:port, never plain http");
  }
  return absl::OkStatus();
}

}  // namespace

std::string ClientConfigPath(const Environment& environment) {
  if (auto path = environment("FOREWARN_CONFIG"); path && !path->empty()) {
    return *path;
  }
  if (auto base = environment("XDG_CONFIG_HOME"); base && !base->empty()) {
    return absl::StrCat(*base, "/forewarn/cli.yaml");
  }
  if (auto home = environment("HOME"); home && !home->empty()) {
    return absl::StrCat(*home, "/.config/forewarn/cli.yaml");
  }
  return "";
}

absl::StatusOr<ClientConfig> ReadClientConfig(const Environment& environment) {
  ClientConfig config;
  config.path = ClientConfigPath(environment);
  if (config.path.empty()) {
    return absl::UnauthenticatedError(
        "none of FOREWARN_CONFIG, XDG_CONFIG_HOME and HOME is set");
  }
  FOREWARN_ASSIGN_OR_RETURN(const std::string text, ReadPrivate(config.path));
  // The one place where yaml-cpp may throw.
  try {
    FOREWARN_RETURN_IF_ERROR(Fill(config.path, YAML::Load(text), config));
  } catch (const YAML::Exception& error) {
    return Wrong(config.path, error.mark, error.msg);
  }
  const std::filesystem::path ca(config.ca_file);
  if (ca.is_relative()) {
    config.ca_file =
        (std::filesystem::path(config.path).parent_path() / ca).string();
  }
  return config;
}

}  // namespace forewarn::cli
