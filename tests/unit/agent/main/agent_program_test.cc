// The program as a person or systemd meets it.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temporary_folder.h"

namespace {

using ::forewarn::testing::TemporaryFolder;
using ::testing::HasSubstr;

class AgentProgramTest : public ::testing::Test {
 protected:
  pid_t Spawn(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), FOREWARN_AGENT);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    const std::string out = folder_ / "stdout";
    const std::string err = folder_ / "stderr";
    // A program that still runs keeps its own file: two writing into one
    // would overwrite each other's lines.
    std::filesystem::remove(out);
    std::filesystem::remove(err);
    posix_spawn_file_actions_addopen(&files, 1, out.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&files, 2, err.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid = 0;
    EXPECT_EQ(posix_spawn(&pid, FOREWARN_AGENT, &files, nullptr, argv.data(),
                          environ),
              0);
    posix_spawn_file_actions_destroy(&files);
    return pid;
  }
  static int ExitCodeOf(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int Run(std::vector<std::string> arguments) {
    return ExitCodeOf(Spawn(std::move(arguments)));
  }
  std::string Text(const std::string& name) const {
    std::ifstream file(folder_ / name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  bool AwaitText(const std::string& name, const std::string& part) const {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (Text(name).find(part) == std::string::npos) {
      if (absl::Now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  const TemporaryFolder folder_;
  const std::string state_ = folder_ / "state";
};

TEST_F(AgentProgramTest, AWrongCommandLineGivesTheUsageLineAndExitsWith2) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{
           {},
           {"bogus"},
           {"run", "--bogus"},
           {"enroll"},
           {"status", "-o", "xml"},
           {"enroll", "--token", "a", "--token-file", "b"}}) {
    EXPECT_EQ(Run(wrong), 2) << ::testing::PrintToString(wrong);
    EXPECT_THAT(Text("stderr"), HasSubstr("usage: forewarn-agent"));
  }
}

TEST_F(AgentProgramTest, TellsItsVersion) {
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_THAT(Text("stdout"), ::testing::StartsWith("forewarn-agent "));
}

TEST_F(AgentProgramTest, TellsAllConfigurationErrorsAndExitsWith2) {
  folder_.Write("bad.yaml", "tick: 5\nunknown: 1\n");
  EXPECT_EQ(Run({"run", "--config", folder_ / "bad.yaml"}), 2);
  EXPECT_THAT(Text("stderr"), HasSubstr("bad.yaml:1:"));
  EXPECT_THAT(Text("stderr"), HasSubstr("bad.yaml:2:"));
}

TEST_F(AgentProgramTest, RunsSpoolsAndStopsOnSigterm) {
  const pid_t pid = Spawn({"run", "--state", state_});
  ASSERT_TRUE(AwaitText("state/status.json", "\"not enrolled\""));
  ASSERT_TRUE(AwaitText("stderr", "agent runs"));

  // A second one is told who is first.
  const pid_t second = Spawn({"run", "--state", state_});
  EXPECT_EQ(ExitCodeOf(second), 3);
  EXPECT_THAT(Text("stderr"), HasSubstr(absl::StrCat("process ", pid)));

  EXPECT_EQ(Run({"status", "--state", state_, "-o", "json"}), 0);
  EXPECT_THAT(Text("stdout"), HasSubstr("\"running\": true"));
  kill(pid, SIGTERM);
  EXPECT_EQ(ExitCodeOf(pid), 0);
  // What it measured is kept for the collector.
  EXPECT_THAT(Text("state/spool/0000000000000001.log"), HasSubstr("FWRL"));
  EXPECT_EQ(Run({"status", "--state", state_}), 0);
  EXPECT_THAT(Text("stdout"), HasSubstr("does not run"));
}

TEST_F(AgentProgramTest, SurvivesBeingKilledAndTakesUpItsSpool) {
  const pid_t pid = Spawn({"run", "--state", state_});
  ASSERT_TRUE(AwaitText("state/spool/0000000000000001.log", "FWRL"));
  kill(pid, SIGKILL);
  EXPECT_EQ(ExitCodeOf(pid), -1);
  const pid_t next = Spawn({"run", "--state", state_});
  ASSERT_TRUE(AwaitText("stderr", "agent runs"));
  ASSERT_TRUE(AwaitText("state/spool/0000000000000002.log", "FWRL"));
  kill(next, SIGINT);
  EXPECT_EQ(ExitCodeOf(next), 0);
}

TEST_F(AgentProgramTest, DoctorExitsWith8WhenACheckFails) {
  EXPECT_EQ(Run({"doctor", "--state", state_, "-o", "json"}), 8);
  EXPECT_THAT(Text("stdout"), HasSubstr("forewarn token create"));
}

TEST_F(AgentProgramTest, SourcesPrintsTheCatalogueAsADocument) {
  EXPECT_EQ(Run({"sources", "-o", "markdown"}), 0);
  EXPECT_THAT(Text("stdout"), HasSubstr("system.uptime"));
}

TEST_F(AgentProgramTest, ABadTokenIsRefusedWithAReason) {
  folder_.Write("token", "fwe1.nonsense\n");
  EXPECT_EQ(
      Run({"enroll", "--token-file", folder_ / "token", "--state", state_}), 1);
  EXPECT_THAT(Text("stderr"), HasSubstr("enrolment token"));
}

}  // namespace
