#ifndef FOREWARN_TESTS_E2E_CHILD_H_
#define FOREWARN_TESTS_E2E_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace forewarn::e2e {

struct Output {
  int code = 0;  // exit code; 128 + signal when killed
  std::string out;
  std::string err;
};

// Runs a program to its end; `environment` is added to ours.
Output RunProgram(const std::vector<std::string>& arguments,
                  const std::vector<std::string>& environment = {},
                  const std::string& input = "");

// A program in the background; both its outputs are appended to `log`.
// Killed and reaped at the end.
class Child {
 public:
  Child(const std::vector<std::string>& arguments, const std::string& log,
        const std::vector<std::string>& environment = {});
  ~Child();
  Child(const Child&) = delete;

  void Signal(int number) const;
  // Waits for the end; exit code, or 128 + signal.
  int Wait();
  bool running();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int code_ = 0;
};

}  // namespace forewarn::e2e

#endif  // FOREWARN_TESTS_E2E_CHILD_H_
