#ifndef FOREWARN_COLLECTOR_NOTIFY_SECRET_FILE_H_
#define FOREWARN_COLLECTOR_NOTIFY_SECRET_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace forewarn::notify {

// The secret in a file of at most 4 KiB, without the line break at its end.
// kFailedPrecondition when others than its owner may read it,
// kInvalidArgument when it is empty or too long.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

}  // namespace forewarn::notify

#endif  // FOREWARN_COLLECTOR_NOTIFY_SECRET_FILE_H_
