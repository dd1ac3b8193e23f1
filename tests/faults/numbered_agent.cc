// An agent whose samples are numbers: the real spool, uplink and transport,
// with a source that counts, and that tells a ledger what it did.
//
//   numbered-agent STATE COLLECTOR LEDGER TICK_MS SPACING CASES SEED
//
// Series 0 carries the number; of the others, one after the other steps up
// every SPACING numbers and stays there, each a case for a ticket.

#include <poll.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/identity/key_store.h"
#include "agent/spool/spool.h"
#include "agent/uplink/grpc_transport.h"
#include "agent/uplink/uplink.h"
#include "protos/base/clock.h"
#include "protos/base/files.h"
#include "protos/base/logging.h"
#include "protos/wire/proto_time.h"
#include "protos/wire/series.h"
#include "tests/faults/ledger.h"

namespace forewarn::faults {
namespace {

wire::SeriesDefinition Define(const std::string& metric,
                              wire::Attributes attributes) {
  wire::SeriesDefinition definition;
  definition.metric = metric;
  definition.attributes = std::move(attributes);
  return definition;
}

wire::RunId RandomRun() {
  std::random_device random;
  wire::RunId run{};
  for (uint8_t& byte : run) byte = static_cast<uint8_t>(random());
  return run;
}

struct Arguments {
  std::string state;
  std::string collector;
  std::string ledger;
  int tick_ms = 0;
  uint64_t spacing = 0;
  uint32_t cases = 0;
  uint64_t seed = 0;
  uint64_t backlog = 0;
};

class NumberedAgent {
 public:
  explicit NumberedAgent(Arguments arguments)
      : arguments_(std::move(arguments)),
        random_(arguments_.seed),
        store_(base::Files::Posix(), arguments_.state),
        spool_(base::Files::Posix(), {.folder = arguments_.state + "/spool"},
               RandomRun()),
        uplink_(base::Clock::System(), transport_, store_, spool_,
                UplinkOptions()) {
    dictionary_.Intern(Define("hw.fan.speed", {{"hw.id", "number"}}));
    for (uint32_t i = 0; i < arguments_.cases; ++i) {
      // Mount points, as another one is another incident.
      dictionary_.Intern(Define("hw.voltage", {{"system.filesystem.mountpoint",
                                                absl::StrCat("/case-", i)}}));
    }
    const Promises before = ReadLedger(arguments_.ledger);
    if (!before.produced.empty()) {
      number_ = before.produced.rbegin()->first;
      last_ms_ = before.produced.rbegin()->second;
      return;
    }
    // As if it had been without a collector, ten seconds a batch.
    constexpr int64_t kSpacingMs = 10000;
    const int64_t now = absl::ToUnixMillis(absl::Now());
    spool_.SetConnected(true);  // not a sync for each
    while (number_ < arguments_.backlog) {
      const auto left = static_cast<int64_t>(arguments_.backlog - number_);
      Produce(now - left * kSpacingMs);
    }
    spool_.SetConnected(false);
  }

  void Run() {
    uplink_.Start();
    for (;;) {
      Produce(absl::ToUnixMillis(absl::Now()));
      poll(nullptr, 0, arguments_.tick_ms);
      Tell();
    }
  }

 private:
  agent::Uplink::Options UplinkOptions() const {
    agent::Uplink::Options options;
    options.collectors = {arguments_.collector};
    options.hello.set_agent_version("0");
    options.hello.mutable_facts()->set_host_name(
        absl::StrCat("numbered-", arguments_.seed));
    options.first_wait = absl::Milliseconds(50);
    options.longest_wait = absl::Milliseconds(500);
    options.refused_wait = absl::Seconds(1);
    options.welcome_within = absl::Seconds(5);
    options.session.new_run = RandomRun;
    options.seed = std::random_device()();
    return options;
  }

  void Produce(int64_t at_ms) {
    ++number_;
    last_ms_ = std::max(at_ms, last_ms_ + 1);
    Note(absl::StrCat("P ", number_, " ", last_ms_));
    wire::Batch batch;
    wire::Tick tick;
    tick.time = absl::FromUnixMillis(last_ms_);
    tick.samples.push_back({0, static_cast<double>(number_)});
    for (uint32_t i = 0; i < arguments_.cases; ++i) {
      const bool up =
          number_ > arguments_.backlog &&
          number_ >= arguments_.backlog + arguments_.spacing * (i + 1);
      tick.samples.push_back({i + 1, up ? 2000.0 : 1.0});
    }
    batch.ticks.push_back(std::move(tick));
    v1::Event event;
    *event.mutable_time() = wire::ToStamp(absl::FromUnixMillis(last_ms_));
    event.set_name("forewarn.event.number");
    event.set_message(absl::StrCat(number_));
    batch.events.push_back(std::move(event));
    spool_.Append(std::move(batch), dictionary_);
    uplink_.Notify();
  }

  void Tell() {
    const agent::Spool::Totals totals = spool_.totals();
    if (totals.batches == 0) Note(absl::StrCat("A ", number_));
    if (random_() % 10 == 0 && spool_.Flush().ok()) {
      Note(absl::StrCat("S ", number_));
    }
    if (totals.dropped_samples > told_dropped_) {
      Note(absl::StrCat("D ", totals.dropped_samples - told_dropped_));
      told_dropped_ = totals.dropped_samples;
    }
    const uint64_t streams = uplink_.state().streams;
    if (streams != told_streams_) {
      told_streams_ = streams;
      Note(absl::StrCat("R ", streams));
    }
  }

  void Note(const std::string& line) const {
    AppendToLedger(arguments_.ledger, line);
  }

  const Arguments arguments_;
  std::mt19937_64 random_;
  agent::KeyStore store_;
  agent::GrpcTransport transport_;
  agent::Spool spool_;
  agent::Uplink uplink_;
  wire::SeriesDictionary dictionary_;
  uint64_t number_ = 0;
  int64_t last_ms_ = 0;
  uint64_t told_dropped_ = 0;
  uint64_t told_streams_ = 0;
};

}  // namespace
}  // namespace forewarn::faults

int main(int argc, char** argv) {
  if (argc != 9) {
    std::fprintf(stderr,
                 "usage: numbered-agent STATE COLLECTOR LEDGER TICK_MS SPACING "
                 "CASES SEED BACKLOG\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  forewarn::faults::NumberedAgent agent(
      {.state = argv[1],
       .collector = argv[2],
       .ledger = argv[3],
       .tick_ms = std::atoi(argv[4]),
       .spacing = std::strtoull(argv[5], nullptr, 10),
       .cases = static_cast<uint32_t>(std::atoi(argv[6])),
       .seed = std::strtoull(argv[7], nullptr, 10),
       .backlog = std::strtoull(argv[8], nullptr, 10)});
  agent.Run();
}
