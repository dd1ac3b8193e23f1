#include "collector/notify/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "protos/base/status.h"

namespace forewarn::notify {
namespace {

constexpr size_t kLongest = 4096;

}  // namespace

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return base::ErrnoStatus(errno, absl::StrCat("open secret file ", path));
  }
  struct stat facts;
  std::string secret(kLongest + 1, '\0');
  const bool known = fstat(file, &facts) == 0;
  const ssize_t size = read(file, secret.data(), secret.size());
  const int error = errno;
  close(file);
  if (!known || size < 0) {
    return base::ErrnoStatus(error, absl::StrCat("read secret file ", path));
  }
  if ((facts.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        absl::StrFormat("read secret file %s: its mode is %04o; make it 0600",
                        path, facts.st_mode & 07777));
  }
  if (static_cast<size_t>(size) > kLongest) {
    return absl::InvalidArgumentError(
        absl::StrCat("read secret file ", path, ": over 4 KiB"));
  }
  secret.resize(static_cast<size_t>(size));
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) {
    secret.pop_back();
  }
  if (secret.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("read secret file ", path, ": it is empty"));
  }
  return secret;
}

}  // namespace forewarn::notify
