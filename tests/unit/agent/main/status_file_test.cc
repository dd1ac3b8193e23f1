#include "agent/main/status_file.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::StatusIs;
using ::forewarn::testing::TemporaryFolder;

TEST(StatusFileTest, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  AgentStatus status;
  status.written_at = absl::FromUnixSeconds(1'800'000'000);
  status.version = "1";
  status.phase = "connected";
  status.collector = "c:8461";
  status.last_ack = absl::FromUnixSeconds(1'799'999'999);
  status.tick = absl::Seconds(10);
  status.series = 250;
  status.spool_bytes = uint64_t{5} << 30;
  status.dropped_samples = 7;
  status.sources.push_back({.name = "smart",
                            .failures = 3,
                            .age = absl::Seconds(61),
                            .interval = absl::Minutes(10)});
  FOREWARN_ASSERT_OK(WriteStatusFile(folder / "status.json", status));
  const auto read =
      ReadStatusFile(base::Files::Posix(), folder / "status.json");
  FOREWARN_ASSERT_OK(read);
  EXPECT_EQ(read->ToJson(false, 0), status.ToJson(false, 0));
  EXPECT_EQ(read->spool_bytes, uint64_t{5} << 30);
  EXPECT_EQ(read->last_ack, status.last_ack);
  EXPECT_EQ(read->certificate_expires, absl::UnixEpoch());
  ASSERT_EQ(read->sources.size(), 1u);
  EXPECT_EQ(read->sources[0].failures, 3u);
  EXPECT_EQ(read->sources[0].interval, absl::Minutes(10));
}

TEST(StatusFileTest, TellsMissingFromUnreadable) {
  const TemporaryFolder folder;
  EXPECT_THAT(ReadStatusFile(base::Files::Posix(), folder / "status.json"),
              StatusIs(absl::StatusCode::kNotFound));
  folder.Write("status.json", "{\"half\":");
  EXPECT_THAT(ReadStatusFile(base::Files::Posix(), folder / "status.json"),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(StatusFileTest, SurvivesAForeignFile) {
  const TemporaryFolder folder;
  folder.Write("status.json",
               R"({"series":-5,"spool_bytes":1e300,"since":7,"sources":3})");
  const auto read =
      ReadStatusFile(base::Files::Posix(), folder / "status.json");
  FOREWARN_ASSERT_OK(read);
  EXPECT_EQ(read->series, 0u);
  EXPECT_EQ(read->spool_bytes, 0u);
}

}  // namespace
}  // namespace forewarn::agent
