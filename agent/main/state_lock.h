#ifndef FOREWARN_AGENT_MAIN_STATE_LOCK_H_
#define FOREWARN_AGENT_MAIN_STATE_LOCK_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace forewarn::agent {

// One agent a state folder: a lock that ends with the process, however it
// ends.
class StateLock {
 public:
  // kAlreadyExists with the other's process id when it is held.
  static absl::StatusOr<std::unique_ptr<StateLock>> Take(
      const std::string& path);
  ~StateLock();
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

  // Process id of the holder; nullopt when nobody holds it.
  static std::optional<int> Holder(const std::string& path);

 private:
  explicit StateLock(int descriptor) : descriptor_(descriptor) {}
  const int descriptor_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_MAIN_STATE_LOCK_H_
