#ifndef FOREWARN_PROTOS_BASE_DESCRIPTOR_H_
#define FOREWARN_PROTOS_BASE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace forewarn::base {

// An owned file descriptor; -1 is none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_DESCRIPTOR_H_
