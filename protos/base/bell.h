#ifndef FOREWARN_PROTOS_BASE_BELL_H_
#define FOREWARN_PROTOS_BASE_BELL_H_

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "protos/base/descriptor.h"

namespace forewarn::base {

// An eventfd: wakes whoever polls it. Thread-safe.
class Bell {
 public:
  Bell() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  void Ring() const {
    const uint64_t one = 1;
    // Fails only when it rings already.
    [[maybe_unused]] const ssize_t done =
        write(descriptor_.get(), &one, sizeof(one));
  }
  // Whether it rang.
  bool Silence() const {
    uint64_t count = 0;
    return read(descriptor_.get(), &count, sizeof(count)) > 0;
  }
  int fd() const { return descriptor_.get(); }

 private:
  const Descriptor descriptor_;
};

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_BELL_H_
