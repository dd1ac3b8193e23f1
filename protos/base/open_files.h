#ifndef FOREWARN_PROTOS_BASE_OPEN_FILES_H_
#define FOREWARN_PROTOS_BASE_OPEN_FILES_H_

#include <sys/resource.h>

#include <cstdint>

namespace forewarn::base {

// Raises how many files and connections this process may have open to what
// the system allows it; mostly 1024 without. Returns the number.
inline uint64_t RaiseOpenFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur
                                                : limit.rlim_cur;
}

}  // namespace forewarn::base

#endif  // FOREWARN_PROTOS_BASE_OPEN_FILES_H_
