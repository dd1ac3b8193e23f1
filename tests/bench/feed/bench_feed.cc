// Feeds the load generator's series to a server that speaks Prometheus's
// remote write or Netdata's streaming protocol; one JSON line of what was sent.
// tests/bench/peers runs it.

#include <poll.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "protos/base/deadline.h"
#include "tests/bench/feed/netdata_stream.h"
#include "tests/bench/feed/remote_write.h"
#include "tests/bench/ingest/load_series.h"

namespace forewarn::bench {
namespace {

constexpr absl::Duration kTick = absl::Seconds(10);

int Run(int argc, char** argv) {
  CLI::App app("Feeds made series to another server.");
  std::string to;
  std::string path = "/api/v1/write";
  std::string key;
  int port = 0;
  uint32_t count = 200;
  uint32_t series = 100;
  uint32_t ticks = 60;
  app.add_option("--to", to)
      ->required()
      ->check(CLI::IsMember({"remote-write", "netdata"}));
  app.add_option("--port", port)->required();
  app.add_option("--path", path, "of the remote write");
  app.add_option("--key", key, "Netdata's API key");
  app.add_option("--endpoints", count);
  app.add_option("--series", series);
  app.add_option("--ticks", ticks);
  CLI11_PARSE(app, argc, argv);

  std::vector<std::unique_ptr<LoadEndpoint>> endpoints;
  for (uint32_t i = 0; i < count; ++i) {
    endpoints.push_back(
        std::make_unique<LoadEndpoint>(i, series, wire::RunId{}));
  }
  RemoteWrite remote(port, path);
  NetdataStream netdata(port, key);
  const absl::Time first = absl::Now() - ticks * kTick;
  for (uint32_t t = 0; t < ticks; ++t) {
    const base::Deadline next(absl::Seconds(1));
    const absl::Status sent =
        to == "netdata" ? netdata.SendTick(endpoints)
                        : remote.SendTick(endpoints, first + t * kTick);
    if (!sent.ok()) {
      std::fprintf(stderr, "bench-feed: %s\n",
                   std::string(sent.message()).c_str());
      return 1;
    }
    if (to == "netdata") {
      poll(nullptr, 0,
           static_cast<int>(absl::ToInt64Milliseconds(next.Left())));
    }
  }
  const uint64_t samples = uint64_t{count} * series * ticks;
  const uint64_t bytes = netdata.bytes_sent() + remote.bytes_sent();
  std::printf("{\"samples\":%llu,\"wire_bytes_per_sample\":%.2f}\n",
              static_cast<unsigned long long>(samples),
              static_cast<double>(bytes) / static_cast<double>(samples));
  if (to == "netdata") {
    // The children stay until they are told to go: a parent may forget them.
    std::fflush(stdout);
    getchar();
  }
  return 0;
}

}  // namespace
}  // namespace forewarn::bench

int main(int argc, char** argv) { return forewarn::bench::Run(argc, argv); }
