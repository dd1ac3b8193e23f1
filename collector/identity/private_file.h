#ifndef FOREWARN_COLLECTOR_IDENTITY_PRIVATE_FILE_H_
#define FOREWARN_COLLECTOR_IDENTITY_PRIVATE_FILE_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace forewarn::identity {

// Replaces `path` as a whole: temporary file beside it, synced, renamed, the
// folder synced. A crash leaves the old file or the new one, never a part.
absl::Status ReplaceFile(const std::string& path, absl::string_view content,
                         mode_t mode);

// At most 64 KiB, kInvalidArgument beyond. kNotFound when it is not there.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// The same, and kFailedPrecondition when others than its owner may read or
// write it.
absl::StatusOr<std::string> ReadPrivateFile(const std::string& path);

}  // namespace forewarn::identity

#endif  // FOREWARN_COLLECTOR_IDENTITY_PRIVATE_FILE_H_
