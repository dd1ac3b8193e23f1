#ifndef FOREWARN_AGENT_SOURCES_HOST_FILES_H_
#define FOREWARN_AGENT_SOURCES_HOST_FILES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace forewarn::agent {

struct FilesystemUsage {
  uint64_t block_bytes = 0;
  uint64_t blocks = 0;
  uint64_t blocks_free = 0;
  uint64_t blocks_available = 0;
  uint64_t inodes = 0;
  uint64_t inodes_free = 0;
  bool read_only = false;
};

struct FileInfo {
  absl::Time modified;
  uint64_t size_bytes = 0;
  uint64_t inode = 0;
};

// The host's files under a root: "/" for the machine itself, a folder of
// tests/fixtures/hosts for tests. Paths are absolute as on the host:
// "/proc/stat". Thread-safe.
class HostFiles {
 public:
  explicit HostFiles(std::string root = "/");
  virtual ~HostFiles() = default;

  // The whole file, at most 4 MiB. kNotFound when it is not there.
  virtual absl::StatusOr<std::string> Read(absl::string_view path) const;

  // Read, with white space at both ends removed.
  absl::StatusOr<std::string> ReadLine(absl::string_view path) const;

  // ReadLine as a number; kDataLoss when it is none.
  absl::StatusOr<double> ReadNumber(absl::string_view path) const;

  // Names in a folder, sorted, without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> List(
      absl::string_view path) const;

  virtual bool Exists(absl::string_view path) const;

  virtual absl::StatusOr<FileInfo> Info(absl::string_view path) const;

  // At most `max_bytes` from `offset` on; empty at or past the end.
  virtual absl::StatusOr<std::string> ReadFrom(absl::string_view path,
                                               uint64_t offset,
                                               size_t max_bytes) const;

  // Target of a symbolic link, not resolved further.
  virtual absl::StatusOr<std::string> ReadLink(absl::string_view path) const;

  // statvfs of the path. Under a root other than "/" it is read from the file
  // "<path>.statvfs" beside it: lines "key value" by the fields' names.
  virtual absl::StatusOr<FilesystemUsage> Usage(absl::string_view path) const;

  bool is_this_machine() const { return root_.empty(); }

 private:
  std::string Rooted(absl::string_view path) const;

  const std::string root_;  // without a trailing slash; empty = "/"
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_HOST_FILES_H_
