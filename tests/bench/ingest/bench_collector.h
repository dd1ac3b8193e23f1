#ifndef FOREWARN_TESTS_BENCH_INGEST_BENCH_COLLECTOR_H_
#define FOREWARN_TESTS_BENCH_INGEST_BENCH_COLLECTOR_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/identity/key_store.h"
#include "tests/e2e/child.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::bench {

// The real collector on loopback with its shipped settings, and endpoints
// enrolled in bulk, straight into its state.
class BenchCollector {
 public:
  // `config` is added to the configuration; `priority` is that of the rule
  // that sees a step: hw.voltage above 1000, hold 0.
  explicit BenchCollector(const std::string& config,
                          const std::string& priority = "info");

  // Before Start: makes the state and enrols so many endpoints.
  absl::StatusOr<std::vector<agent::Identity>> Enroll(uint32_t count);

  // Returns once it is ready.
  absl::Status Start();
  void Kill();
  // By SIGTERM; waits for the end.
  void Stop();

  // User and system time of the running collector so far.
  double CpuSeconds() const;
  uint64_t ResidentBytes() const;
  // Written to the storage layer, as the kernel counts.
  uint64_t WrittenBytes() const;
  // Of the history on disk.
  uint64_t HistoryBytes() const;

  absl::StatusOr<std::string> Get(const std::string& path) const;
  absl::Status Post(const std::string& path) const;

  std::string agents_address() const;
  std::string log() const { return folder_ / "collector.log"; }

 private:
  absl::StatusOr<std::string> Send(const char* method,
                                   const std::string& path) const;
  std::string state() const { return folder_ / "collector"; }

  testing::TemporaryFolder folder_;
  int https_port_ = 0;
  int agents_port_ = 0;
  std::string token_;
  std::unique_ptr<e2e::Child> child_;
};

}  // namespace forewarn::bench

#endif  // FOREWARN_TESTS_BENCH_INGEST_BENCH_COLLECTOR_H_
