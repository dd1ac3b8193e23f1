#ifndef FOREWARN_TESTS_BENCH_FEED_NETDATA_STREAM_H_
#define FOREWARN_TESTS_BENCH_FEED_NETDATA_STREAM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "protos/base/descriptor.h"
#include "tests/bench/ingest/load_series.h"

namespace forewarn::bench {

// Netdata's streaming protocol, version 1, without compression: each endpoint
// is a child with one chart of all its series. A parent keeps its own time, so
// ticks must come one a second.
class NetdataStream {
 public:
  NetdataStream(int port, std::string api_key);

  // Children connect with the first tick.
  absl::Status SendTick(std::vector<std::unique_ptr<LoadEndpoint>>& endpoints);
  uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  absl::Status Connect(size_t endpoint);
  absl::Status Send(size_t endpoint, const std::string& text);

  const int port_;
  const std::string api_key_;
  std::vector<base::Descriptor> sockets_;
  uint64_t bytes_sent_ = 0;
};

}  // namespace forewarn::bench

#endif  // FOREWARN_TESTS_BENCH_FEED_NETDATA_STREAM_H_
