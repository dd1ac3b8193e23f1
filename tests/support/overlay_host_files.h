#ifndef FOREWARN_TESTS_SUPPORT_OVERLAY_HOST_FILES_H_
#define FOREWARN_TESTS_SUPPORT_OVERLAY_HOST_FILES_H_

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/sources/host_files.h"

namespace forewarn::testing {

// A fixture tree of tests/fixtures/hosts in which a test may change files, to
// let time pass. The tree on disk stays as it is.
class OverlayHostFiles final : public agent::HostFiles {
 public:
  // `host`: the folder's name, "debian-server".
  explicit OverlayHostFiles(const std::string& host)
      : HostFiles(absl::StrCat(FOREWARN_SOURCE_DIR, "/tests/fixtures/hosts/",
                               host)) {}

  void Write(const std::string& path, std::string text) {
    changed_[path] = std::move(text);
  }
  // Takes away a file, or a folder with all that is in it.
  void Remove(const std::string& path) { changed_[path] = std::nullopt; }
  // Replaces the first `from` in a file.
  void Replace(const std::string& path, const std::string& from,
               const std::string& to) {
    std::string text = Read(path).value();
    text.replace(text.find(from), from.size(), to);
    Write(path, std::move(text));
  }

  absl::StatusOr<std::string> Read(absl::string_view path) const override {
    if (IsRemoved(path)) return Missing(path);
    const auto changed = changed_.find(std::string(path));
    return changed != changed_.end() ? *changed->second : HostFiles::Read(path);
  }
  absl::StatusOr<std::vector<std::string>> List(
      absl::string_view path) const override {
    if (IsRemoved(path)) return Missing(path);
    const auto names = HostFiles::List(path);
    std::vector<std::string> all;
    if (names.ok()) {
      for (const std::string& name : *names) {
        if (!IsRemoved(absl::StrCat(path, "/", name))) all.push_back(name);
      }
    }
    const std::string folder = absl::StrCat(path, "/");
    bool any = names.ok();
    for (const auto& [file, text] : changed_) {
      if (!text.has_value() || file.rfind(folder, 0) != 0) continue;
      any = true;
      const std::string rest = file.substr(folder.size());
      all.push_back(rest.substr(0, rest.find('/')));
    }
    if (!any) return names;
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }
  bool Exists(absl::string_view path) const override {
    if (IsRemoved(path)) return false;
    return changed_.count(std::string(path)) > 0 || HostFiles::Exists(path);
  }
  absl::StatusOr<std::string> ReadLink(absl::string_view path) const override {
    if (IsRemoved(path)) return Missing(path);
    return HostFiles::ReadLink(path);
  }

 private:
  static absl::Status Missing(absl::string_view path) {
    return absl::NotFoundError(absl::StrCat("open ", path, ": removed"));
  }
  bool IsRemoved(absl::string_view path) const {
    for (const auto& [file, text] : changed_) {
      if (text.has_value()) continue;
      if (path == file ||
          (path.size() > file.size() && path.substr(0, file.size()) == file &&
           path[file.size()] == '/')) {
        return true;
      }
    }
    return false;
  }

  std::map<std::string, std::optional<std::string>> changed_;
};

}  // namespace forewarn::testing

#endif  // FOREWARN_TESTS_SUPPORT_OVERLAY_HOST_FILES_H_
