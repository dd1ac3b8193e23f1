#include "agent/main/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

int ReadPid(int descriptor) {
  char text[32];
  const ssize_t size = pread(descriptor, text, sizeof(text), 0);
  int pid = 0;
  if (size <= 0 ||
      !absl::SimpleAtoi(absl::string_view(text, static_cast<size_t>(size)),
                        &pid)) {
    return 0;
  }
  return pid;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateLock>> StateLock::Take(
    const std::string& path) {
  const int descriptor =
      open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    return base::ErrnoStatus(errno, absl::StrCat("open ", path));
  }
  std::unique_ptr<StateLock> lock(new StateLock(descriptor));
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return base::ErrnoStatus(errno, absl::StrCat("lock ", path));
    }
    return absl::AlreadyExistsError(
        absl::StrCat("lock ", path,
                     ": another forewarn-agent runs on this "
                     "state folder, process ",
                     ReadPid(descriptor)));
  }
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, pid.data(), pid.size(), 0) !=
          static_cast<ssize_t>(pid.size())) {
    return base::ErrnoStatus(errno, absl::StrCat("write ", path));
  }
  return lock;
}

StateLock::~StateLock() { close(descriptor_); }

std::optional<int> StateLock::Holder(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return std::nullopt;
  std::optional<int> holder;
  if (flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    holder = ReadPid(descriptor);
  }
  close(descriptor);
  return holder;
}

}  // namespace forewarn::agent
