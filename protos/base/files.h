#ifndef FOREWARN_PROTOS_BASE_FILES_H_
#define FOREWARN_PROTOS_BASE_FILES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace forewarn::base {

// A file that grows at its end. Closed by the destructor, which does not
// sync. Thread-compatible.
class AppendFile {
 public:
  virtual ~AppendFile() = default;

  // All of `bytes` or an error; after an error part of them may be there.
  virtual absl::Status Append(absl::string_view bytes) = 0;

  // Returns once everything appended survives a power cut.
  virtual absl::Status Sync() = 0;
};

// File operations that tests can make fail. Everything made is for the owner
// only: folders 0700, files 0600. Thread-safe.
class Files {
 public:
  virtual ~Files() = default;

  // Opens `path` for appending, creating it empty. Symbolic links are not
  // followed.
  virtual absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(
      const std::string& path) = 0;

  // The whole file; kResourceExhausted, without reading it, when it is longer
  // than `most`.
  virtual absl::StatusOr<std::string> Read(const std::string& path,
                                           uint64_t most) = 0;

  // Cuts the file to its first `size` bytes and syncs it.
  virtual absl::Status Truncate(const std::string& path, uint64_t size) = 0;

  virtual absl::Status Remove(const std::string& path) = 0;

  // Replaces `to`. Durable only after SyncFolder.
  virtual absl::Status Rename(const std::string& from,
                              const std::string& to) = 0;

  // Names of the regular files in a folder, sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(
      const std::string& folder) = 0;

  // Makes the folder and those above it; fine when it is there.
  virtual absl::Status MakeFolder(const std::string& folder) = 0;

  // Makes creations, renames and removals in `folder` durable.
  virtual absl::Status SyncFolder(const std::string& folder) = 0;

  // Replaces `path` so that a reader, or a start after a power cut, sees the
  // old contents or the new, never a mixture.
  absl::Status WriteAtomically(const std::string& path,
                               absl::string_view contents);

  static Files& Posix();
};

// The folder that holds `path`: "/a/b" -> "/a", "b" -> ".".
std::string FolderOf(const std::string& path);

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_FILES_H_
