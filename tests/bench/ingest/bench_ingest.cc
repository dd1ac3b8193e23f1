// bench-ingest: the real collector under a made load, one JSON line.
// docs/performance.md explains the figures.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "forewarn/v1/api.pb.h"
#include "google/protobuf/util/json_util.h"
#include "protos/base/logging.h"
#include "protos/base/open_files.h"
#include "protos/base/status.h"
#include "tests/bench/ingest/bench_collector.h"
#include "tests/bench/ingest/load_series.h"
#include "tests/bench/ingest/load_streams.h"

namespace forewarn::bench {
namespace {

struct Plan {
  uint32_t endpoints = 1000;
  uint32_t series = 100;
  uint32_t ticks = 60;
  std::string paced;
  std::string duration;
  std::string idle;
  bool storm = false;
  bool restart = false;
  std::string config;
};

constexpr absl::Duration kTick = absl::Seconds(10);
constexpr absl::Duration kPatience = absl::Minutes(20);

// Figures in the order they were noted, as one line of JSON.
class Figures {
 public:
  void Note(const std::string& name, double value) {
    parts_.push_back(absl::StrFormat("\"%s\":%.6g", name, value));
  }
  void Note(const std::string& name, uint64_t value) {
    parts_.push_back(absl::StrCat("\"", name, "\":", value));
  }
  void Print() const {
    std::printf("{%s}\n", absl::StrJoin(parts_, ",").c_str());
    std::fflush(stdout);
  }

 private:
  std::vector<std::string> parts_;
};

double Quantile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const size_t at =
      std::min(values.size() - 1, static_cast<size_t>(share * values.size()));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[at];
}

wire::RunId RunOf(uint32_t index) {
  wire::RunId run{};
  for (int i = 0; i < 4; ++i) {
    run[i] = static_cast<uint8_t>(index >> (8 * i));
  }
  run[15] = 1;
  return run;
}

absl::Duration Read(const std::string& text, absl::Duration fallback) {
  absl::Duration duration = fallback;
  if (!text.empty() && !absl::ParseDuration(text, &duration)) {
    std::fprintf(stderr, "bench-ingest: %s is no duration (10s, 1m)\n",
                 text.c_str());
    std::exit(2);
  }
  return duration;
}

class Bench {
 public:
  explicit Bench(Plan plan)
      : plan_(std::move(plan)),
        pace_(Read(plan_.paced, absl::ZeroDuration())),
        collector_(plan_.config) {
    if (pace_ > absl::ZeroDuration()) {
      const absl::Duration lasting = Read(plan_.duration, absl::Minutes(1));
      plan_.ticks = 2 + static_cast<uint32_t>(lasting / pace_);
    }
    if (!plan_.idle.empty()) plan_.ticks = plan_.series = 0;
    if (plan_.storm) plan_.ticks = 6;
  }

  absl::Status Run() {
    Say(absl::StrCat("enrolling ", plan_.endpoints, " endpoints"));
    FOREWARN_ASSIGN_OR_RETURN(std::vector<agent::Identity> identities,
                              collector_.Enroll(plan_.endpoints));
    FOREWARN_RETURN_IF_ERROR(collector_.Start());
    std::vector<wire::RunId> runs;
    for (uint32_t i = 0; i < plan_.endpoints; ++i) runs.push_back(RunOf(i));
    bare_bytes_ = collector_.ResidentBytes();
    streams_ = std::make_unique<LoadStreams>(
        LoadStreams::Options{.collector = collector_.agents_address()},
        std::move(identities), std::move(runs));
    Say("connecting");
    const double before = collector_.CpuSeconds();
    FOREWARN_RETURN_IF_ERROR(streams_->Connect(kPatience));
    connect_cpu_ = collector_.CpuSeconds() - before;
    connected_bytes_ = collector_.ResidentBytes();
    if (!plan_.idle.empty()) return Idle();
    Make();
    FOREWARN_RETURN_IF_ERROR(Load());
    if (plan_.storm || plan_.restart) {
      FOREWARN_RETURN_IF_ERROR(ComeBack());
    } else {
      FOREWARN_RETURN_IF_ERROR(Verify());
    }
    figures_.Print();
    return absl::OkStatus();
  }

 private:
  static void Say(const std::string& text) {
    if (isatty(STDERR_FILENO)) std::fprintf(stderr, "%s\n", text.c_str());
  }

  uint64_t AllSeries() const {
    return uint64_t{plan_.endpoints} * plan_.series;
  }

  // All samples are made and coded before the first is sent.
  void Make() {
    Say("making samples");
    first_ = absl::FromUnixMillis(absl::ToUnixMillis(
        absl::Now() - kTick * (plan_.ticks + (Extra() ? Extra() + 2 : 0))));
    for (uint32_t i = 0; i < plan_.endpoints; ++i) {
      made_.emplace_back(i, plan_.series, RunOf(i));
      steps_ += made_.back().steps();
      streams_->SetBatches(i, made_.back().Encode(plan_.ticks, first_, kTick));
    }
  }

  // Ticks that are sent after a restart.
  uint32_t Extra() const { return plan_.storm || plan_.restart ? 2 : 0; }

  absl::Status Load() {
    Say("first two ticks");
    const double connected = collector_.CpuSeconds();
    FOREWARN_RETURN_IF_ERROR(
        streams_->SendUpTo(2, absl::ZeroDuration(), kPatience));
    const double warm = collector_.CpuSeconds();
    warmup_cpu_ = warm - connected;
    const LoadStreams::Bytes bytes = streams_->bytes();
    streams_->latencies_ms().clear();
    const uint64_t written = collector_.WrittenBytes();
    Say("load");
    const absl::Time begin = absl::Now();
    FOREWARN_RETURN_IF_ERROR(streams_->SendUpTo(plan_.ticks, pace_, kPatience));
    const absl::Duration took = absl::Now() - begin;
    const uint64_t resident = collector_.ResidentBytes();
    const double loaded = collector_.CpuSeconds();
    FOREWARN_RETURN_IF_ERROR(collector_.Post("/api/v1/history/flush"));
    const double cpu = collector_.CpuSeconds() - warm;
    const LoadStreams::Bytes after = streams_->bytes();
    const uint64_t samples = AllSeries() * (plan_.ticks - 2);

    figures_.Note("samples", samples);
    figures_.Note("server_cpu_s", cpu);
    figures_.Note("us_per_sample", 1e6 * cpu / samples);
    figures_.Note("flush_cpu_s", cpu - (loaded - warm));
    figures_.Note("wall_s", absl::ToDoubleSeconds(took));
    figures_.Note("rss_bytes", resident);
    figures_.Note("bytes_per_series", (static_cast<double>(resident) -
                                       static_cast<double>(connected_bytes_)) /
                                          AllSeries());
    figures_.Note("disk_bytes_per_sample",
                  static_cast<double>(collector_.HistoryBytes()) /
                      (AllSeries() * plan_.ticks));
    figures_.Note(
        "written_bytes_per_sample",
        static_cast<double>(collector_.WrittenBytes() - written) / samples);
    figures_.Note("wire_bytes_per_sample",
                  static_cast<double>(after.sent - bytes.sent) / samples);
    figures_.Note(
        "ack_bytes_per_sample",
        static_cast<double>(after.received - bytes.received) / samples);
    figures_.Note("ack_p50_ms", Quantile(streams_->latencies_ms(), 0.5));
    figures_.Note("ack_p99_ms", Quantile(streams_->latencies_ms(), 0.99));
    figures_.Note("acked", streams_->acked() * plan_.series);
    figures_.Note("streams", uint64_t{plan_.endpoints});
    figures_.Note("series", AllSeries());
    figures_.Note("ticks", uint64_t{plan_.ticks});
    figures_.Note("connect_cpu_s", connect_cpu_);
    figures_.Note("warmup_cpu_s", warmup_cpu_);
    figures_.Note("bytes_per_stream", (static_cast<double>(connected_bytes_) -
                                       static_cast<double>(bare_bytes_)) /
                                          plan_.endpoints);
    figures_.Note("symptoms_expected", uint64_t{plan_.ticks >= 6 ? steps_ : 0});
    FOREWARN_ASSIGN_OR_RETURN(const uint64_t found, CountSymptoms());
    figures_.Note("symptoms_found", found);
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> CountSymptoms() {
    uint64_t found = 0;
    std::string cursor;
    do {
      FOREWARN_ASSIGN_OR_RETURN(
          const std::string body,
          collector_.Get(
              absl::StrCat("/api/v1/symptoms?rule=bench_step&limit=500",
                           cursor.empty() ? "" : "&cursor=", cursor)));
      v1::SymptomList list;
      if (!google::protobuf::util::JsonStringToMessage(body, &list).ok()) {
        return absl::InternalError("the list of symptoms cannot be read");
      }
      found += static_cast<uint64_t>(list.symptoms_size());
      cursor = list.next_cursor();
    } while (!cursor.empty());
    return found;
  }

  // Kills the collector, starts it anew and reads every series back.
  absl::Status Verify() {
    Say("killing the collector, reading all back");
    collector_.Kill();
    FOREWARN_RETURN_IF_ERROR(collector_.Start());
    return CountLost();
  }

  absl::Status CountLost() {
    std::atomic<uint64_t> lost = 0;
    std::atomic<uint64_t> wrong = 0;
    std::atomic<uint32_t> next = 0;
    base::Mutex mutex;
    absl::Status failure;
    const auto read = [&] {
      for (uint32_t i = next++; i < made_.size(); i = next++) {
        absl::Status status = CountLost(i, lost, wrong);
        base::MutexLock lock(&mutex);
        failure.Update(status);
        if (!failure.ok()) return;
      }
    };
    std::thread other(read);
    read();
    other.join();
    figures_.Note("lost", lost.load());
    figures_.Note("wrong_series", wrong.load());
    return failure;
  }

  absl::Status CountLost(uint32_t index, std::atomic<uint64_t>& lost,
                         std::atomic<uint64_t>& wrong) {
    FOREWARN_ASSIGN_OR_RETURN(
        const std::string body,
        collector_.Get(
            absl::StrCat("/api/v1/endpoints/", index + 1, "/holdings")));
    v1::HoldingList list;
    if (!google::protobuf::util::JsonStringToMessage(body, &list).ok()) {
      return absl::InternalError("the holdings cannot be read");
    }
    std::vector<LoadEndpoint::Sum> held(plan_.series);
    for (const v1::Holding& holding : list.holdings()) {
      if (holding.series() >= held.size()) continue;
      held[holding.series()] = {holding.count(),
                                std::stoull(holding.checksum(), nullptr, 16)};
    }
    for (uint32_t i = 0; i < plan_.series; ++i) {
      const LoadEndpoint::Sum& sent = made_[index].sums()[i];
      lost += sent.count - std::min(sent.count, held[i].count);
      if (sent.count != held[i].count || sent.checksum != held[i].checksum) {
        ++wrong;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Idle() {
    const absl::Duration time = Read(plan_.idle, absl::Minutes(1));
    streams_->Idle(absl::Seconds(2));
    const double before = collector_.CpuSeconds();
    streams_->Idle(time);
    figures_.Note("streams", uint64_t{plan_.endpoints});
    figures_.Note("idle_s", absl::ToDoubleSeconds(time));
    figures_.Note("server_cpu_s", collector_.CpuSeconds() - before);
    figures_.Note("rss_bytes", collector_.ResidentBytes());
    figures_.Note("bytes_per_stream",
                  (static_cast<double>(collector_.ResidentBytes()) -
                   static_cast<double>(bare_bytes_)) /
                      plan_.endpoints);
    figures_.Note("connect_cpu_s", connect_cpu_);
    figures_.Print();
    return absl::OkStatus();
  }

  // The batches of a new stream that begins after `done` of `all` ticks.
  std::vector<std::string> CodeFrom(uint32_t done, uint32_t all,
                                    LoadEndpoint& endpoint) const {
    endpoint.Encode(done, first_, kTick);
    endpoint.BeginStream();
    return endpoint.Encode(all - done, first_ + kTick * done, kTick);
  }

  // Kill, restart, all back with two more ticks: how long until every stream
  // has its ack, and whether a ticket was opened that nobody needs.
  absl::Status ComeBack() {
    std::deque<LoadEndpoint> again;
    const uint32_t all = plan_.ticks + Extra();
    // What is left to send lies ready, as in an agent's spool: coding it anew
    // would be the first thing that a new stream waits for.
    std::vector<std::vector<std::string>> rest;
    for (uint32_t i = 0; i < plan_.endpoints; ++i) {
      rest.push_back(CodeFrom(plan_.ticks, all,
                              again.emplace_back(i, plan_.series, RunOf(i))));
    }
    std::vector<uint32_t> done(plan_.endpoints, 0);
    streams_->Reconnects([&](uint32_t stream, uint32_t acked) {
      done[stream] += acked;
      if (done[stream] == plan_.ticks) return rest[stream];
      LoadEndpoint endpoint(stream, plan_.series, RunOf(stream));
      return CodeFrom(done[stream], all, endpoint);
    });
    streams_->latencies_ms().clear();
    streams_->admission_ms().clear();
    Say("killing the collector");
    collector_.Kill();
    const absl::Time begin = absl::Now();
    FOREWARN_RETURN_IF_ERROR(collector_.Start());
    figures_.Note("ready_s", absl::ToDoubleSeconds(absl::Now() - begin));
    FOREWARN_RETURN_IF_ERROR(
        streams_->SendUpTo(all, absl::ZeroDuration(), kPatience));
    figures_.Note("all_acked_s", absl::ToDoubleSeconds(absl::Now() - begin));
    figures_.Note("first_ack_s", streams_->first_ack_s(begin));
    figures_.Note("storm_cpu_s", collector_.CpuSeconds());
    figures_.Note("admitted_ack_p99_ms",
                  Quantile(streams_->admission_ms(), 0.99));
    FOREWARN_ASSIGN_OR_RETURN(const std::string body,
                              collector_.Get("/api/v1/tickets?limit=500"));
    v1::TicketList tickets;
    if (!google::protobuf::util::JsonStringToMessage(body, &tickets).ok()) {
      return absl::InternalError("the list of tickets cannot be read");
    }
    figures_.Note("false_tickets",
                  static_cast<uint64_t>(tickets.tickets_size()));
    made_ = std::move(again);
    return CountLost();
  }

  Plan plan_;
  const absl::Duration pace_;
  BenchCollector collector_;
  std::unique_ptr<LoadStreams> streams_;
  std::deque<LoadEndpoint> made_;
  Figures figures_;
  absl::Time first_;
  double connect_cpu_ = 0;
  double warmup_cpu_ = 0;
  uint64_t bare_bytes_ = 0;
  uint64_t connected_bytes_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace
}  // namespace forewarn::bench

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  forewarn::base::RaiseOpenFiles();
  forewarn::bench::Plan plan;
  CLI::App app{"the real collector under a made load; prints one JSON line"};
  app.add_option("--endpoints", plan.endpoints, "streams");
  app.add_option("--series", plan.series, "series an endpoint");
  app.add_option("--ticks", plan.ticks, "batches an endpoint");
  app.add_option("--paced", plan.paced, "one batch a stream in so long (10s)");
  app.add_option("--for", plan.duration, "with --paced: how long");
  app.add_option("--idle", plan.idle, "connect and do nothing for so long");
  app.add_flag("--storm", plan.storm, "kill, restart, all come back");
  app.add_flag("--restart", plan.restart, "first ack after a restart");
  app.add_option("--config", plan.config, "lines for the collector's YAML");
  CLI11_PARSE(app, argc, argv);
  forewarn::base::SetLogLevel("warning");
  const absl::Status status = forewarn::bench::Bench(plan).Run();
  if (!status.ok()) {
    std::fprintf(stderr, "bench-ingest: %s\n",
                 forewarn::base::ToLine(status).c_str());
    return 1;
  }
  return 0;
}
