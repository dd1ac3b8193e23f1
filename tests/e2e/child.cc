#include "tests/e2e/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/support/temporary_folder.h"

namespace forewarn::e2e {
namespace {

int CodeOf(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

pid_t Spawn(const std::vector<std::string>& arguments,
            const std::vector<std::string>& environment, const char* in,
            const std::string& out, const std::string& err) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing outlives a test that crashes
  const auto redirect = [](const char* path, int flags, int target) {
    const int file = open(path, flags, 0600);
    if (file < 0 || dup2(file, target) < 0) _exit(126);
  };
  redirect(in, O_RDONLY, STDIN_FILENO);
  redirect(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, STDOUT_FILENO);
  redirect(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, STDERR_FILENO);
  for (const std::string& entry : environment) {
    putenv(const_cast<char*>(entry.c_str()));
  }
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  _exit(127);
}

}  // namespace

Output RunProgram(const std::vector<std::string>& arguments,
                  const std::vector<std::string>& environment,
                  const std::string& input) {
  const testing::TemporaryFolder folder;
  folder.Write("in", input);
  const std::string in = folder / "in";
  const pid_t pid =
      Spawn(arguments, environment, in.c_str(), folder / "out", folder / "err");
  int status = 0;
  waitpid(pid, &status, 0);
  return {CodeOf(status), ReadFile(folder / "out"), ReadFile(folder / "err")};
}

Child::Child(const std::vector<std::string>& arguments, const std::string& log,
             const std::vector<std::string>& environment)
    : pid_(Spawn(arguments, environment, "/dev/null", log, log)) {}

Child::~Child() {
  if (pid_ > 0) {
    Signal(SIGKILL);
    Wait();
  }
}

void Child::Signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

int Child::Wait() {
  if (pid_ > 0) {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    code_ = CodeOf(status);
  }
  return code_;
}

bool Child::running() {
  if (pid_ <= 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == 0) return true;
  pid_ = -1;
  code_ = CodeOf(status);
  return false;
}

}  // namespace forewarn::e2e
