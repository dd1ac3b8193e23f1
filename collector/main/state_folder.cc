#include "collector/main/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "protos/base/status.h"

namespace forewarn::main {

absl::StatusOr<StateFolder> StateFolder::Lock(const std::string& path) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (error) {
    return base::ErrnoStatus(error.value(),
                             absl::StrCat("create state directory ", path));
  }
  if (made) chmod(path.c_str(), 0700);
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("look at ", path));
  }
  if (info.st_uid != geteuid() || (info.st_mode & 022) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " must belong to the collector's user and be writable by nobody "
              "else: chown and chmod 0700 it"));
  }
  const std::string lock = path + "/lock";
  const int descriptor = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return base::ErrnoStatus(errno, absl::StrCat("open ", lock));
  }
  StateFolder folder(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = {};
    const ssize_t length = pread(descriptor, pid, sizeof pid - 1, 0);
    return absl::AlreadyExistsError(absl::StrCat(
        path, " is in use by process ",
        length > 0 ? absl::StripAsciiWhitespace(pid) : "unknown"));
  }
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, pid.data(), pid.size(), 0) !=
          static_cast<ssize_t>(pid.size())) {
    return base::ErrnoStatus(errno, absl::StrCat("write ", lock));
  }
  return folder;
}

StateFolder::StateFolder(StateFolder&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

StateFolder::~StateFolder() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace forewarn::main
