#include "collector/identity/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "protos/base/status.h"

namespace forewarn::identity {
namespace {

constexpr size_t kLargestFile = 64 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  const int number_;
};

absl::Status WriteAll(int file, absl::string_view content,
                      absl::string_view path) {
  while (!content.empty()) {
    const ssize_t written = write(file, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return base::ErrnoStatus(errno, absl::StrCat("write ", path));
    }
    content.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WriteNewFile(const std::string& path, absl::string_view content,
                          mode_t mode) {
  unlink(path.c_str());  // left by a crash
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.number() < 0) {
    return base::ErrnoStatus(errno, absl::StrCat("create ", path));
  }
  // The umask must not decide who reads a certificate.
  if (fchmod(file.number(), mode) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("set the mode of ", path));
  }
  FOREWARN_RETURN_IF_ERROR(WriteAll(file.number(), content, path));
  if (fsync(file.number()) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("sync ", path));
  }
  return absl::OkStatus();
}

absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor file(
      open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.number() < 0 || fsync(file.number()) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("sync ", folder));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& path, bool is_private) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) {
    return base::ErrnoStatus(errno, absl::StrCat("open ", path));
  }
  struct stat facts;
  if (fstat(file.number(), &facts) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("look at ", path));
  }
  if (is_private && (facts.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "open %s: its mode is %04o, so others may use the key; make it 0600",
        path, facts.st_mode & 07777));
  }
  std::string content(kLargestFile + 1, '\0');
  size_t size = 0;
  while (size < content.size()) {
    const ssize_t got =
        read(file.number(), content.data() + size, content.size() - size);
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      return base::ErrnoStatus(errno, absl::StrCat("read ", path));
    }
    size += static_cast<size_t>(got);
  }
  if (size > kLargestFile) {
    return absl::InvalidArgumentError(
        absl::StrCat("read ", path, ": over 64 KiB"));
  }
  content.resize(size);
  return content;
}

}  // namespace

absl::Status ReplaceFile(const std::string& path, absl::string_view content,
                         mode_t mode) {
  const std::string temporary = absl::StrCat(path, ".new");
  FOREWARN_RETURN_IF_ERROR(WriteNewFile(temporary, content, mode));
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("replace ", path));
  }
  return SyncFolderOf(path);
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  return ReadFile(path, false);
}

absl::StatusOr<std::string> ReadPrivateFile(const std::string& path) {
  return ReadFile(path, true);
}

}  // namespace forewarn::identity
