#include "agent/sources/host_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/sources/text.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxBytes = 4 << 20;
constexpr size_t kMaxNames = 65536;  // names in one folder; chosen

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

absl::Status Failed(absl::string_view deed, absl::string_view path) {
  return base::ErrnoStatus(errno, absl::StrCat(deed, " ", path));
}

absl::StatusOr<FilesystemUsage> UsageFromText(absl::string_view text,
                                              absl::string_view path) {
  FilesystemUsage usage;
  absl::string_view line;
  while (NextLine(text, line)) {
    const absl::string_view key = NextField(line);
    if (key.empty()) continue;
    uint64_t value = 0;
    if (!ParseCount(NextField(line), value)) {
      return absl::DataLossError(
          absl::StrCat("read usage of ", path, ": ", key, " is no number"));
    }
    if (key == "block_bytes") usage.block_bytes = value;
    if (key == "blocks") usage.blocks = value;
    if (key == "blocks_free") usage.blocks_free = value;
    if (key == "blocks_available") usage.blocks_available = value;
    if (key == "inodes") usage.inodes = value;
    if (key == "inodes_free") usage.inodes_free = value;
    if (key == "read_only") usage.read_only = value != 0;
  }
  return usage;
}

}  // namespace

HostFiles::HostFiles(std::string root) : root_(absl::StripSuffix(root, "/")) {}

std::string HostFiles::Rooted(absl::string_view path) const {
  return absl::StrCat(root_, path);
}

absl::StatusOr<std::string> HostFiles::Read(absl::string_view path) const {
  // Not blocking: a path may turn out to be a pipe without a writer.
  const Descriptor file(
      open(Rooted(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return Failed("open", path);
  // Kernel files tell no size; most fit the buffer, so that the string is
  // allocated once, at its right size.
  char buffer[8192];
  std::string text;
  while (true) {
    const ssize_t got = read(file.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read", path);
    if (got == 0) return text;
    if (text.size() + static_cast<size_t>(got) > kMaxBytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("read ", path, ": larger than 4 MiB"));
    }
    text.append(buffer, static_cast<size_t>(got));
  }
}

absl::StatusOr<std::string> HostFiles::ReadLine(absl::string_view path) const {
  FOREWARN_ASSIGN_OR_RETURN(std::string text, Read(path));
  absl::StripAsciiWhitespace(&text);
  return text;
}

absl::StatusOr<double> HostFiles::ReadNumber(absl::string_view path) const {
  FOREWARN_ASSIGN_OR_RETURN(const std::string text, ReadLine(path));
  double value = 0;
  if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) {
    return absl::DataLossError(absl::StrCat("read ", path, ": no number"));
  }
  return value;
}

absl::StatusOr<std::vector<std::string>> HostFiles::List(
    absl::string_view path) const {
  const std::unique_ptr<DIR, CloseFolder> folder(opendir(Rooted(path).c_str()));
  if (folder == nullptr) return Failed("list", path);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(folder.get())) {
    const absl::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() >= kMaxNames) {
      return absl::ResourceExhaustedError(
          absl::StrCat("list ", path, ": more than ", kMaxNames, " names"));
    }
    names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return Failed("list", path);
  std::sort(names.begin(), names.end());
  return names;
}

bool HostFiles::Exists(absl::string_view path) const {
  return access(Rooted(path).c_str(), F_OK) == 0;
}

absl::StatusOr<FileInfo> HostFiles::Info(absl::string_view path) const {
  struct stat status {};
  if (stat(Rooted(path).c_str(), &status) != 0) return Failed("stat", path);
  FileInfo info;
  info.modified = absl::TimeFromTimespec(status.st_mtim);
  info.size_bytes = static_cast<uint64_t>(status.st_size);
  info.inode = status.st_ino;
  return info;
}

absl::StatusOr<std::string> HostFiles::ReadFrom(absl::string_view path,
                                                uint64_t offset,
                                                size_t max_bytes) const {
  const Descriptor file(
      open(Rooted(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return Failed("open", path);
  std::string text(max_bytes, '\0');
  size_t length = 0;
  while (length < max_bytes) {
    const ssize_t got =
        pread(file.get(), text.data() + length, max_bytes - length,
              static_cast<off_t>(offset + length));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read", path);
    if (got == 0) break;
    length += static_cast<size_t>(got);
  }
  text.resize(length);
  return text;
}

absl::StatusOr<std::string> HostFiles::ReadLink(absl::string_view path) const {
  char target[PATH_MAX];
  const ssize_t length = readlink(Rooted(path).c_str(), target, sizeof(target));
  if (length < 0) return Failed("read link", path);
  return std::string(target, static_cast<size_t>(length));
}

absl::StatusOr<FilesystemUsage> HostFiles::Usage(absl::string_view path) const {
  if (!is_this_machine()) {
    FOREWARN_ASSIGN_OR_RETURN(const std::string text,
                              Read(absl::StrCat(path, ".statvfs")));
    return UsageFromText(text, path);
  }
  struct statvfs status {};
  if (statvfs(std::string(path).c_str(), &status) != 0) {
    return Failed("read usage of", path);
  }
  FilesystemUsage usage;
  usage.block_bytes = status.f_frsize != 0 ? status.f_frsize : status.f_bsize;
  usage.blocks = status.f_blocks;
  usage.blocks_free = status.f_bfree;
  usage.blocks_available = status.f_bavail;
  usage.inodes = status.f_files;
  usage.inodes_free = status.f_ffree;
  usage.read_only = (status.f_flag & ST_RDONLY) != 0;
  return usage;
}

}  // namespace forewarn::agent
