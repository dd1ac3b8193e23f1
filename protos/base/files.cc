#include "protos/base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protos/base/descriptor.h"
#include "protos/base/status.h"

namespace forewarn::base {
namespace {

absl::Status Failure(absl::string_view verb, absl::string_view object) {
  return ErrnoStatus(errno, absl::StrCat(verb, " ", object));
}

class PosixAppendFile final : public AppendFile {
 public:
  PosixAppendFile(int number, std::string path)
      : descriptor_(number), path_(std::move(path)) {}

  absl::Status Append(absl::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written =
          write(descriptor_.get(), bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        return Failure("append to", path_);
      }
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    if (fdatasync(descriptor_.get()) != 0) return Failure("sync", path_);
    return absl::OkStatus();
  }

 private:
  const Descriptor descriptor_;
  const std::string path_;
};

class PosixFiles final : public Files {
 public:
  absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(
      const std::string& path) override {
    const int number =
        open(path.c_str(),
             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (number < 0) return Failure("open", path);
    return std::make_unique<PosixAppendFile>(number, path);
  }

  absl::StatusOr<std::string> Read(const std::string& path,
                                   uint64_t most) override {
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return Failure("open", path);
    struct stat facts {};
    if (fstat(file.get(), &facts) != 0) return Failure("stat", path);
    if (!S_ISREG(facts.st_mode)) {
      return absl::InvalidArgumentError(
          absl::StrCat("read ", path, ": not a regular file"));
    }
    if (static_cast<uint64_t>(facts.st_size) > most) {
      return absl::ResourceExhaustedError(
          absl::StrCat("read ", path, ": ", facts.st_size,
                       " bytes are more than the ", most, " allowed"));
    }
    std::string contents(static_cast<size_t>(facts.st_size), '\0');
    size_t filled = 0;
    while (filled < contents.size()) {
      const ssize_t got =
          read(file.get(), contents.data() + filled, contents.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Failure("read", path);
      if (got == 0) break;  // it was cut meanwhile
      filled += static_cast<size_t>(got);
    }
    contents.resize(filled);
    return contents;
  }

  absl::Status Truncate(const std::string& path, uint64_t size) override {
    const Descriptor file(
        open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file.get() < 0) return Failure("open", path);
    if (ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
      return Failure("truncate", path);
    }
    if (fsync(file.get()) != 0) return Failure("sync", path);
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0) return Failure("remove", path);
    return absl::OkStatus();
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) {
      return Failure("rename", absl::StrCat(from, " to ", to));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List(
      const std::string& folder) override {
    DIR* const stream = opendir(folder.c_str());
    if (stream == nullptr) return Failure("list", folder);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(stream)) {
      struct stat facts {};
      if (fstatat(dirfd(stream), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) ==
              0 &&
          S_ISREG(facts.st_mode)) {
        names.emplace_back(entry->d_name);
      }
    }
    closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status MakeFolder(const std::string& folder) override {
    for (size_t slash = folder.find('/', 1);;
         slash = folder.find('/', slash + 1)) {
      const std::string part = folder.substr(0, slash);
      if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
        return Failure("make folder", part);
      }
      if (slash == std::string::npos) break;
    }
    struct stat facts {};
    if (stat(folder.c_str(), &facts) != 0) return Failure("stat", folder);
    if (!S_ISDIR(facts.st_mode)) {
      return absl::InvalidArgumentError(
          absl::StrCat("make folder ", folder, ": not a folder"));
    }
    return absl::OkStatus();
  }

  absl::Status SyncFolder(const std::string& folder) override {
    const Descriptor file(
        open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (file.get() < 0) return Failure("open", folder);
    if (fsync(file.get()) != 0) return Failure("sync", folder);
    return absl::OkStatus();
  }
};

}  // namespace

absl::Status Files::WriteAtomically(const std::string& path,
                                    absl::string_view contents) {
  const std::string fresh = absl::StrCat(path, ".new");
  // What a crash left; OpenAppend would add to it.
  const absl::Status removed = Remove(fresh);
  if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  {
    FOREWARN_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file,
                              OpenAppend(fresh));
    FOREWARN_RETURN_IF_ERROR(file->Append(contents));
    FOREWARN_RETURN_IF_ERROR(file->Sync());
  }
  FOREWARN_RETURN_IF_ERROR(Rename(fresh, path));
  return SyncFolder(FolderOf(path));
}

Files& Files::Posix() {
  static PosixFiles* const files = new PosixFiles;
  return *files;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace forewarn::base
