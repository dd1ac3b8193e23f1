#include "agent/sources/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

using Instant = std::chrono::steady_clock::time_point;

struct Descriptor {
  int fd = -1;
  ~Descriptor() { Close(); }
  void Close() {
    if (fd >= 0) close(std::exchange(fd, -1));
  }
};

struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

int MillisecondsUntil(Instant deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  return left.count() <= 0 ? 0 : static_cast<int>(left.count()) + 1;
}

// Its own process group, so that what it starts is killed with it; signals
// as a fresh program has them.
int Spawn(const std::vector<std::string>& arguments, int output, pid_t& pid) {
  SpawnSettings settings;
  posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null",
                                   O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&settings.actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&settings.actions, STDERR_FILENO,
                                   "/dev/null", O_WRONLY, 0);
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setsigdefault(&settings.attributes, &all);
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETSIGDEF |
                                                     POSIX_SPAWN_SETPGROUP);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char locale[] = "LC_ALL=C";
  char* environment[] = {path, locale, nullptr};
  return posix_spawn(&pid, argv[0], &settings.actions, &settings.attributes,
                     argv.data(), environment);
}

absl::Status ReadOutput(int fd, const ChildLimits& limits, Instant deadline,
                        std::string& text) {
  char buffer[16384];
  while (true) {
    struct pollfd ready = {.fd = fd, .events = POLLIN, .revents = 0};
    const int count = poll(&ready, 1, MillisecondsUntil(deadline));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::ErrnoStatus(errno, "wait for output");
    if (count == 0) return absl::DeadlineExceededError("timed out");
    const ssize_t length = read(fd, buffer, sizeof(buffer));
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return base::ErrnoStatus(errno, "read output");
    if (length == 0) return absl::OkStatus();
    if (text.size() + static_cast<size_t>(length) > limits.output_bytes) {
      return absl::ResourceExhaustedError("too much output");
    }
    text.append(buffer, static_cast<size_t>(length));
  }
}

// A child may close its output and stay; there is no portable wait with a
// time-out for it.
absl::StatusOr<int> AwaitEnd(pid_t pid, Instant deadline) {
  int status = 0;
  while (true) {
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) return status;
    if (ended < 0 && errno != EINTR) {
      return base::ErrnoStatus(errno, "wait for its end");
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return absl::DeadlineExceededError("timed out");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

absl::StatusOr<ChildOutput> Attend(pid_t pid, int fd, const ChildLimits& limits,
                                   bool& is_collected) {
  const Instant deadline = std::chrono::steady_clock::now() +
                           absl::ToChronoNanoseconds(limits.timeout);
  ChildOutput output;
  FOREWARN_RETURN_IF_ERROR(ReadOutput(fd, limits, deadline, output.text));
  FOREWARN_ASSIGN_OR_RETURN(const int status, AwaitEnd(pid, deadline));
  is_collected = true;
  if (!WIFEXITED(status)) {
    return absl::AbortedError(
        absl::StrCat("ended by signal ", WTERMSIG(status)));
  }
  output.exit_code = WEXITSTATUS(status);
  return output;
}

}  // namespace

absl::StatusOr<ChildOutput> RunChild(const std::vector<std::string>& arguments,
                                     const ChildLimits& limits) {
  if (arguments.empty() || arguments[0].empty() || arguments[0][0] != '/') {
    return absl::InvalidArgumentError("run program: no absolute path");
  }
  const std::string deed = absl::StrCat("run ", arguments[0]);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return base::ErrnoStatus(errno, deed);
  Descriptor output{ends[0]};
  Descriptor input{ends[1]};
  pid_t pid = 0;
  const int error = Spawn(arguments, input.fd, pid);
  input.Close();
  if (error != 0) return base::ErrnoStatus(error, deed);

  bool is_collected = false;
  auto result = Attend(pid, output.fd, limits, is_collected);
  if (!is_collected) {
    kill(-pid, SIGKILL);
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (!result.ok()) return base::Annotate(result.status(), deed);
  return result;
}

std::string FindProgram(absl::string_view program) {
  for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/sbin/"}) {
    std::string path = absl::StrCat(folder, program);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

}  // namespace forewarn::agent
