#ifndef FOREWARN_TESTS_BENCH_FEED_REMOTE_WRITE_H_
#define FOREWARN_TESTS_BENCH_FEED_REMOTE_WRITE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/bench/ingest/load_series.h"

namespace forewarn::bench {

// Prometheus's remote write 1.0: protobuf in snappy's block format, 500
// samples a request as its queue sends them. Over one connection.
class RemoteWrite {
 public:
  RemoteWrite(int port, std::string path);
  ~RemoteWrite();

  absl::Status SendTick(std::vector<std::unique_ptr<LoadEndpoint>>& endpoints,
                        absl::Time time);
  uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  absl::Status Post(const std::string& request);

  struct Client;
  const std::string path_;
  const std::unique_ptr<Client> client_;
  std::vector<std::vector<std::string>> labels_;  // coded, by endpoint, series
  uint64_t bytes_sent_ = 0;
};

}  // namespace forewarn::bench

#endif  // FOREWARN_TESTS_BENCH_FEED_REMOTE_WRITE_H_
