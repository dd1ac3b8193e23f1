// bench-reaction: from the moment a sample that crosses a threshold is sent
// to the moment the webhook of its ticket arrives; one JSON line. Hold 0,
// otherwise as shipped; each endpoint makes one ticket, one after another.

#include <httplib.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "forewarn/v1/telemetry.pb.h"
#include "protos/base/logging.h"
#include "protos/base/open_files.h"
#include "protos/base/mutex.h"
#include "protos/base/status.h"
#include "protos/wire/batch_codec.h"
#include "tests/bench/ingest/bench_collector.h"
#include "tests/bench/ingest/load_streams.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::bench {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(2);

// When which endpoint's first webhook came.
class Box {
 public:
  Box() {
    server_.Post("/hook", [this](const httplib::Request& request,
                                 httplib::Response&) {
      const absl::Time now = absl::Now();
      const size_t at = request.body.find("bench-");
      if (at == std::string::npos) return;
      const size_t end = request.body.find_first_not_of("0123456789", at + 6);
      base::MutexLock lock(&mutex_);
      came_.try_emplace(request.body.substr(at, end - at), now);
      changed_.NotifyAll();
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  ~Box() {
    server_.stop();
    thread_.join();
  }
  int port() const { return port_; }

  absl::StatusOr<absl::Time> WaitFor(const std::string& host) {
    const absl::Time until = absl::Now() + kPatience;
    base::MutexLock lock(&mutex_);
    while (!came_.contains(host)) {
      if (absl::Now() > until) {
        return absl::DeadlineExceededError(
            absl::StrCat("no webhook about ", host));
      }
      changed_.WaitFor(&mutex_, std::chrono::seconds(1));
    }
    return came_[host];
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  std::map<std::string, absl::Time> came_ ABSL_GUARDED_BY(mutex_);
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

// Two batches of one series: a calm value, then one over the threshold.
std::vector<std::string> MakeBatches(const wire::RunId& run) {
  wire::SeriesDictionary dictionary;
  dictionary.Intern({.metric = "hw.voltage",
                     .unit = "V",
                     .kind = wire::MetricKind::kGauge,
                     .digits = 2,
                     .attributes = {{"bench.index", "0"}}});
  wire::BatchEncoder encoder(&dictionary);
  std::vector<std::string> messages;
  const absl::Time first = absl::Now() - absl::Seconds(30);
  for (uint64_t sequence = 1; sequence <= 2; ++sequence) {
    wire::Batch batch;
    batch.run_id = run;
    batch.sequence = sequence;
    batch.ticks.push_back({first + absl::Seconds(10 * sequence),
                           {{0, sequence == 1 ? 12.0 : 5000.0}}});
    v1::AgentMessage message;
    encoder.Encode(batch, run, *message.mutable_batch());
    messages.push_back(message.SerializeAsString());
  }
  return messages;
}

absl::Status Run(uint32_t endpoints) {
  Box box;
  const testing::TemporaryFolder folder;
  folder.Write("secret", "secret-of-the-bench");
  const std::string secret = folder / "secret";
  chmod(secret.c_str(), 0600);
  BenchCollector collector(
      absl::StrCat("notify:\n  webhooks:\n  - {name: box, url: "
                   "\"http://127.0.0.1:",
                   box.port(), "/hook\", secret_file: ", secret,
                   ", allow_private_addresses: true}\n"),
      "P2");
  FOREWARN_ASSIGN_OR_RETURN(std::vector<agent::Identity> identities,
                            collector.Enroll(endpoints));
  FOREWARN_RETURN_IF_ERROR(collector.Start());
  std::vector<wire::RunId> runs;
  for (uint32_t i = 0; i < endpoints; ++i) {
    runs.push_back(
        wire::RunId{1, static_cast<uint8_t>(i), static_cast<uint8_t>(i >> 8)});
  }
  LoadStreams streams({.collector = collector.agents_address()},
                      std::move(identities), runs);
  FOREWARN_RETURN_IF_ERROR(streams.Connect(kPatience));
  for (uint32_t i = 0; i < endpoints; ++i) {
    streams.SetBatches(i, MakeBatches(runs[i]));
  }
  FOREWARN_RETURN_IF_ERROR(
      streams.SendUpTo(1, absl::ZeroDuration(), kPatience));
  std::vector<double> took;
  for (uint32_t i = 0; i < endpoints; ++i) {
    const absl::Time sent = absl::Now();
    FOREWARN_RETURN_IF_ERROR(streams.SendOne(i, kPatience));
    FOREWARN_ASSIGN_OR_RETURN(const absl::Time came,
                              box.WaitFor(absl::StrCat("bench-", i)));
    took.push_back(absl::ToDoubleMilliseconds(came - sent));
  }
  std::sort(took.begin(), took.end());
  std::printf(
      "{\"endpoints\":%u,\"sample_to_webhook_p50_ms\":%.4g,"
      "\"sample_to_webhook_p99_ms\":%.4g,\"sample_to_webhook_max_ms\":%.4g}\n",
      endpoints, took[took.size() / 2], took[took.size() * 99 / 100],
      took.back());
  return absl::OkStatus();
}

}  // namespace
}  // namespace forewarn::bench

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  forewarn::base::RaiseOpenFiles();
  uint32_t endpoints = 200;
  CLI::App app{"from a crossing to its webhook; prints one JSON line"};
  app.add_option("--endpoints", endpoints, "one ticket each");
  CLI11_PARSE(app, argc, argv);
  forewarn::base::SetLogLevel("warning");
  const absl::Status status = forewarn::bench::Run(endpoints);
  if (!status.ok()) {
    std::fprintf(stderr, "bench-reaction: %s\n",
                 forewarn::base::ToLine(status).c_str());
    return 1;
  }
  return 0;
}
