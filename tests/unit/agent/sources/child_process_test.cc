#include "agent/sources/child_process.h"

#include <signal.h>

#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::testing::HasSubstr;

TEST(ChildProcessTest, GivesOutputAndExitCode) {
  const auto output = RunChild(
      {"/bin/sh", "-c", "echo \"$0\"; echo no >&2; exit 3", "a b;c"}, {});
  FOREWARN_ASSERT_OK(output);
  EXPECT_EQ(output->text, "a b;c\n");
  EXPECT_EQ(output->exit_code, 3);
}

TEST(ChildProcessTest, HasAnEmptyInputAndAFixedEnvironment) {
  const auto output = RunChild({"/bin/sh", "-c", "cat; env | sort"}, {});
  FOREWARN_ASSERT_OK(output);
  EXPECT_THAT(output->text, HasSubstr("LC_ALL=C\n"));
  EXPECT_THAT(output->text, HasSubstr("PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"));
  EXPECT_THAT(output->text, ::testing::Not(HasSubstr("HOME=")));
}

TEST(ChildProcessTest, KillsWhatTakesTooLongWithItsChildren) {
  const auto begin = std::chrono::steady_clock::now();
  const auto output = RunChild({"/bin/sh", "-c", "sleep 600 & sleep 600; wait"},
                               {.timeout = absl::Milliseconds(50)});
  EXPECT_THAT(output, StatusIs(absl::StatusCode::kDeadlineExceeded,
                               HasSubstr("run /bin/sh")));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST(ChildProcessTest, KillsWhatClosesItsOutputAndStays) {
  EXPECT_THAT(RunChild({"/bin/sh", "-c", "exec >&-; exec sleep 600"},
                       {.timeout = absl::Milliseconds(50)}),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(ChildProcessTest, KillsWhatSaysTooMuch) {
  EXPECT_THAT(RunChild({"/bin/sh", "-c", "while :; do echo spam; done"},
                       {.output_bytes = 10000}),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ChildProcessTest, ASignalIsNoAnswer) {
  EXPECT_THAT(RunChild({"/bin/sh", "-c", "kill -9 $$"}, {}),
              StatusIs(absl::StatusCode::kAborted));
}

TEST(ChildProcessTest, RefusesWhatIsNotThereOrNotAbsolute) {
  EXPECT_THAT(RunChild({"/no/such/program"}, {}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(RunChild({"sh"}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(RunChild({}, {}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ChildProcessTest, FindsProgramsInSystemFoldersOnly) {
  EXPECT_THAT(FindProgram("env"), ::testing::EndsWith("/env"));
  EXPECT_EQ(FindProgram("no-such-program"), "");
}

}  // namespace
}  // namespace forewarn::agent
