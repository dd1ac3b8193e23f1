// Preloaded into a program under test, by the environment:
//
//   FAULT_KILL_AT=n    SIGKILL at the n-th write-class call: before it when n
//                      is even, after it when n is odd
//   FAULT_SYNC_EIO=n   the n-th sync fails with EIO
//   FAULT_CLOCK=FILE   the wall clock is off by as many ns as the file's first
//                      eight bytes say, now and whenever they change
//
// Sees only what goes through the C library.

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

template <typename Function>
Function* Next(Function* /*own*/, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

int64_t NumberIn(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? 0 : std::atoll(text);
}

// Counts a call, and ends the program at the one that was asked for.
class Deed {
 public:
  Deed() {
    static const int64_t kill_at = NumberIn("FAULT_KILL_AT");
    static std::atomic<int64_t> count = 0;
    if (kill_at == 0 || ++count != kill_at) return;
    if (kill_at % 2 == 0) kill(getpid(), SIGKILL);
    last_ = true;
  }
  ~Deed() {
    if (last_) kill(getpid(), SIGKILL);
  }

 private:
  bool last_ = false;
};

bool SyncFails() {
  static const int64_t fail_at = NumberIn("FAULT_SYNC_EIO");
  static std::atomic<int64_t> count = 0;
  return fail_at != 0 && ++count == fail_at;
}

int64_t ClockOffset() {
  static const std::atomic<int64_t>* const shared =
      []() -> const std::atomic<int64_t>* {
    const char* const path = std::getenv("FAULT_CLOCK");
    if (path == nullptr) return nullptr;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return nullptr;
    void* const page =
        mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    return page == MAP_FAILED ? nullptr
                              : static_cast<const std::atomic<int64_t>*>(page);
  }();
  return shared == nullptr ? 0 : shared->load();
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const next = Next(&write, "write");
  const Deed deed;
  return next(fd, bytes, size);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  static auto* const next = Next(&writev, "writev");
  const Deed deed;
  return next(fd, parts, count);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  static auto* const next = Next(&pwrite, "pwrite");
  const Deed deed;
  return next(fd, bytes, size, offset);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  static auto* const next = Next(&pwrite64, "pwrite64");
  const Deed deed;
  return next(fd, bytes, size, offset);
}
int fsync(int fd) {
  static auto* const next = Next(&fsync, "fsync");
  const Deed deed;
  if (SyncFails()) {
    errno = EIO;
    return -1;
  }
  return next(fd);
}
int fdatasync(int fd) {
  static auto* const next = Next(&fdatasync, "fdatasync");
  const Deed deed;
  if (SyncFails()) {
    errno = EIO;
    return -1;
  }
  return next(fd);
}
int ftruncate(int fd, off_t size) noexcept {
  static auto* const next = Next(&ftruncate, "ftruncate");
  const Deed deed;
  return next(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  static auto* const next = Next(&ftruncate64, "ftruncate64");
  const Deed deed;
  return next(fd, size);
}
int rename(const char* from, const char* to) noexcept {
  static auto* const next = Next(&rename, "rename");
  const Deed deed;
  return next(from, to);
}
int unlink(const char* path) noexcept {
  static auto* const next = Next(&unlink, "unlink");
  const Deed deed;
  return next(path);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static auto* const next = Next(&clock_gettime, "clock_gettime");
  const int result = next(clock, time);
  const int64_t offset = clock == CLOCK_REALTIME ? ClockOffset() : 0;
  if (result != 0 || offset == 0) return result;
  constexpr int64_t kSecond = 1000000000;
  const int64_t ns = time->tv_nsec + offset % kSecond + kSecond;
  time->tv_sec += offset / kSecond - 1 + ns / kSecond;
  time->tv_nsec = ns % kSecond;
  return result;
}
int gettimeofday(timeval* time, void* /*zone*/) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}
time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
