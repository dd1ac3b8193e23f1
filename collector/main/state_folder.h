#ifndef FOREWARN_COLLECTOR_MAIN_STATE_FOLDER_H_
#define FOREWARN_COLLECTOR_MAIN_STATE_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace forewarn::main {

// The collector's state folder, made (0700) where missing and locked for this
// process as long as the object lives.
class StateFolder {
 public:
  // kAlreadyExists when another process has it: says which.
  static absl::StatusOr<StateFolder> Lock(const std::string& path);
  StateFolder(StateFolder&& other) noexcept;
  ~StateFolder();

 private:
  explicit StateFolder(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace forewarn::main

#endif  // FOREWARN_COLLECTOR_MAIN_STATE_FOLDER_H_
