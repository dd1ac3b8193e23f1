#include "agent/sources/clock_source.h"

#include <cerrno>

#include "gtest/gtest.h"
#include "tests/support/recording_sink.h"
#include "tests/support/status_matchers.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::RecordingSink;
using ::forewarn::testing::StatusIs;

ClockSource Failing(int error) {
  return ClockSource([error](struct timex*) {
    errno = error;
    return -1;
  });
}

TEST(ClockSourceTest, ReadsTheDisciplineInSeconds) {
  ClockSource source([](struct timex* discipline) {
    EXPECT_EQ(discipline->modes, 0u);
    discipline->status = STA_PLL | STA_NANO;
    discipline->offset = -1'500'000;  // ns
    discipline->esterror = 250;       // us
    discipline->maxerror = 12'000;    // us
    return TIME_OK;
  });
  RecordingSink sink("clock");
  FOREWARN_ASSERT_OK(source.Sample({}, sink));
  EXPECT_EQ(sink.Value("forewarn.clock.synchronised"), 1);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.clock.offset"), -0.0015);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.clock.estimated_error"), 0.00025);
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.clock.max_error"), 0.012);
}

TEST(ClockSourceTest, OffsetIsInMicrosecondsWithoutNano) {
  ClockSource source([](struct timex* discipline) {
    discipline->status = STA_PLL;
    discipline->offset = 1500;
    return TIME_OK;
  });
  RecordingSink sink("clock");
  FOREWARN_ASSERT_OK(source.Sample({}, sink));
  EXPECT_DOUBLE_EQ(sink.Value("forewarn.clock.offset"), 0.0015);
}

TEST(ClockSourceTest, UnsynchronisedIsAReading) {
  ClockSource source([](struct timex* discipline) {
    discipline->status = STA_UNSYNC;
    return TIME_ERROR;
  });
  RecordingSink sink("clock");
  FOREWARN_ASSERT_OK(source.Sample({}, sink));
  EXPECT_EQ(sink.Value("forewarn.clock.synchronised"), 0);
}

TEST(ClockSourceTest, WhereItIsNotPermittedIsNoFailure) {
  RecordingSink sink("clock");
  EXPECT_THAT(Failing(EPERM).Sample({}, sink),
              StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_THAT(Failing(ENOSYS).Sample({}, sink),
              StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_THAT(Failing(EFAULT).Sample({}, sink),
              ::testing::Not(StatusIs(absl::StatusCode::kUnimplemented)));
  EXPECT_TRUE(sink.readings.empty());
}

}  // namespace
}  // namespace forewarn::agent
