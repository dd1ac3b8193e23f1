// bench-history: appends a month of one endpoint, then reads it; one JSON
// line. The store alone: no network, no detectors.

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "collector/history/rocks_store.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::bench {
namespace {

constexpr absl::Duration kTick = absl::Seconds(10);
constexpr int kMaintenances = 10;
constexpr int kTimes = 21;  // of each query; the median is told

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) / 1e9;
}

template <typename Query>
double MedianMilliseconds(Query query) {
  std::vector<double> took;
  for (int i = 0; i < kTimes; ++i) {
    const absl::Time begin = absl::Now();
    query();
    took.push_back(absl::ToDoubleMilliseconds(absl::Now() - begin));
  }
  std::nth_element(took.begin(), took.begin() + kTimes / 2, took.end());
  return took[kTimes / 2];
}

uint64_t BytesIn(const std::string& folder) {
  uint64_t bytes = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() &&
        !absl::StartsWith(entry.path().filename().string(), "LOG")) {
      bytes += entry.file_size();
    }
  }
  return bytes;
}

absl::Status Run(uint32_t days, uint32_t series) {
  const testing::TemporaryFolder folder;
  const std::string directory = folder / "history";
  FOREWARN_ASSIGN_OR_RETURN(
      auto store, history::RocksStore::Open({.directory = directory}));
  std::vector<std::pair<uint32_t, history::SeriesRecord>> definitions;
  for (uint32_t i = 0; i < series; ++i) {
    definitions.push_back({1,
                           {i,
                            {.metric = "bench",
                             .unit = "1",
                             .digits = 2,
                             .attributes = {{"i", std::to_string(i)}}}}});
  }
  FOREWARN_RETURN_IF_ERROR(store->Append(definitions, {}));

  // Walks of two decimals; a group of 20 batches, as under some load.
  const absl::Time end = absl::FromUnixSeconds(1'800'000'000);
  const absl::Time begin = end - absl::Hours(24 * days);
  std::mt19937 random(11);
  std::vector<int> hundredths(series, 5000);
  std::vector<history::EndpointBatch> group;
  uint64_t sequence = 0;
  uint64_t samples = 0;
  const double before = CpuSeconds();
  for (absl::Time time = begin; time < end; time += kTick) {
    history::EndpointBatch& item = group.emplace_back();
    item.endpoint = 1;
    item.batch.run_id = wire::RunId{1};
    item.batch.sequence = ++sequence;
    wire::Tick& tick = item.batch.ticks.emplace_back();
    tick.time = time;
    for (uint32_t i = 0; i < series; ++i) {
      hundredths[i] += static_cast<int>(random() % 201) - 100;
      tick.samples.push_back({i, hundredths[i] / 100.0});
      ++samples;
    }
    if (group.size() == 20) {
      FOREWARN_RETURN_IF_ERROR(store->Append({}, group));
      group.clear();
    }
  }
  FOREWARN_RETURN_IF_ERROR(store->Append({}, group));
  FOREWARN_RETURN_IF_ERROR(store->Flush());
  const double append_us = 1e6 * (CpuSeconds() - before) / samples;

  size_t month = 0;
  const double month_ms = MedianMilliseconds(
      [&] { month = store->Query(1, series / 2, begin, end)->size(); });
  size_t day = 0;
  const double day_ms = MedianMilliseconds([&] {
    day = 0;
    store
        ->Replay(1, end - absl::Hours(24),
                 [&](const wire::Tick& tick) { day += tick.samples.size(); })
        .IgnoreError();
  });
  const double hour_ms = MedianMilliseconds([&] {
    store->Query(1, series / 2, end - absl::Hours(1), end).IgnoreError();
  });
  const uint64_t raw_bytes = BytesIn(directory);

  // Each call rolls up for two seconds at most.
  const double rolling = CpuSeconds();
  for (int i = 0; i < kMaintenances; ++i) {
    FOREWARN_RETURN_IF_ERROR(store->Maintain(end));
  }
  const double rollup_us = 1e6 * (CpuSeconds() - rolling) / samples;
  FOREWARN_RETURN_IF_ERROR(store->Flush());
  size_t hours = 0;
  const double hours_ms = MedianMilliseconds([&] {
    hours = store
                ->QueryRollups(1, series / 2, history::RollupLevel::kHour,
                               begin, end)
                ->size();
  });
  const absl::Time closing = absl::Now();
  store.reset();
  const uint64_t bytes = BytesIn(directory);
  FOREWARN_ASSIGN_OR_RETURN(
      store, history::RocksStore::Open({.directory = directory}));
  const double open_ms = absl::ToDoubleMilliseconds(absl::Now() - closing);
  std::printf(
      "{\"days\":%u,\"series\":%u,\"samples\":%llu,"
      "\"append_cpu_us_per_sample\":%.4g,\"disk_bytes_per_sample\":%.4g,"
      "\"one_series_all_days_ms\":%.4g,\"one_series_all_days_samples\":%zu,"
      "\"all_series_24h_ms\":%.4g,\"all_series_24h_samples\":%zu,"
      "\"one_series_1h_ms\":%.4g,\"rollup_cpu_us_per_sample\":%.4g,"
      "\"rollup_bytes_per_sample\":%.4g,\"one_series_by_hours_ms\":%.4g,"
      "\"one_series_by_hours_rollups\":%zu,\"reopen_ms\":%.4g}\n",
      days, series, static_cast<unsigned long long>(samples), append_us,
      static_cast<double>(raw_bytes) / samples, month_ms, month, day_ms, day,
      hour_ms, rollup_us,
      (static_cast<double>(bytes) - static_cast<double>(raw_bytes)) / samples,
      hours_ms, hours, open_ms);
  return absl::OkStatus();
}

}  // namespace
}  // namespace forewarn::bench

int main(int argc, char** argv) {
  uint32_t days = 30;
  uint32_t series = 100;
  CLI::App app{"range queries of the history; prints one JSON line"};
  app.add_option("--days", days, "of samples, one each 10 s");
  app.add_option("--series", series, "of the endpoint");
  CLI11_PARSE(app, argc, argv);
  forewarn::base::SetLogLevel("warning");
  const absl::Status status = forewarn::bench::Run(days, series);
  if (!status.ok()) {
    std::fprintf(stderr, "bench-history: %s\n",
                 forewarn::base::ToLine(status).c_str());
    return 1;
  }
  return 0;
}
