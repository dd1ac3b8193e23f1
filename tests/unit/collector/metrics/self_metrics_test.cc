#include "collector/metrics/self_metrics.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace forewarn::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

TEST(SelfMetricsTest, SaysWhichVersionRuns) {
  SelfMetrics metrics("1.2.3");
  EXPECT_THAT(metrics.Exposition(),
              HasSubstr("forewarn_build_info{version=\"1.2.3\"} 1"));
}

TEST(SelfMetricsTest, ShowsCountersFromZeroOn) {
  SelfMetrics metrics("1");
  EXPECT_THAT(metrics.Exposition(),
              HasSubstr("forewarn_ingest_batches_total 0"));
  metrics.batches.Increment();
  metrics.samples.Increment(250);
  EXPECT_THAT(metrics.Exposition(),
              HasSubstr("forewarn_ingest_batches_total 1"));
  EXPECT_THAT(metrics.Exposition(),
              HasSubstr("forewarn_ingest_samples_total 250"));
}

TEST(SelfMetricsTest, KeepsLabelsApart) {
  SelfMetrics metrics("1");
  metrics.Rejected("nan").Increment(2);
  metrics.Rejected("time").Increment();
  metrics.Notifications("mail", "delivered").Increment();
  metrics.HttpRequests("/api/v1/tickets/{id}", 404).Increment();
  metrics.MailboxDepth(1).Set(7);
  const std::string page = metrics.Exposition();
  EXPECT_THAT(
      page,
      HasSubstr("forewarn_ingest_samples_rejected_total{reason=\"nan\"} 2"));
  EXPECT_THAT(
      page,
      HasSubstr("forewarn_ingest_samples_rejected_total{reason=\"time\"} 1"));
  EXPECT_THAT(page, HasSubstr("forewarn_notify_notifications_total{channel="
                              "\"mail\",result=\"delivered\"} 1"));
  EXPECT_THAT(page, HasSubstr("forewarn_http_requests_total{route=\"/api/v1/"
                              "tickets/{id}\",status=\"404\"} 1"));
  EXPECT_THAT(page, HasSubstr("forewarn_shard_mailbox_batches{shard=\"1\"} 7"));
}

TEST(SelfMetricsTest, FillsHistogramBuckets) {
  SelfMetrics metrics("1");
  metrics.ack_seconds.Observe(0.002);
  const std::string page = metrics.Exposition();
  EXPECT_THAT(page, HasSubstr("forewarn_ingest_ack_seconds_count 1"));
  EXPECT_THAT(page, HasSubstr("_ack_seconds_bucket{le=\"0.001\"} 0"));
  EXPECT_THAT(page, HasSubstr("_ack_seconds_bucket{le=\"0.0025\"} 1"));
}

TEST(SelfMetricsTest, HostileLabelsNeitherThrowNorBreakTheFormat) {
  SelfMetrics metrics("1");
  const size_t lines_before = Lines(metrics.Exposition()).size();
  metrics.Rejected("a\"} 1\nevil_total 5\n").Increment();
  // One HELP, one TYPE at most, and one sample.
  EXPECT_LE(Lines(metrics.Exposition()).size(), lines_before + 3);
  for (const std::string& line : Lines(metrics.Exposition())) {
    EXPECT_THAT(line.substr(0, 4), Not("evil"));
  }
}

TEST(SelfMetricsTest, LabelValuesAreBounded) {
  SelfMetrics metrics("1");
  for (int i = 0; i < 1000; ++i) {
    metrics.Rejected(absl::StrCat("reason-", i)).Increment();
  }
  const std::string page = metrics.Exposition();
  EXPECT_LT(Lines(page).size(), 400u);
  EXPECT_THAT(page, HasSubstr("reason=\"other\"} 800"));
}

TEST(SelfMetricsTest, CountsFromManyThreads) {
  SelfMetrics metrics("1");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&metrics] {
      for (int n = 0; n < 1000; ++n) {
        metrics.batches.Increment();
        metrics.DetectorEdges("opened").Increment();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(metrics.batches.Value(), 4000);
  EXPECT_EQ(metrics.DetectorEdges("opened").Value(), 4000);
}

}  // namespace
}  // namespace forewarn::metrics
