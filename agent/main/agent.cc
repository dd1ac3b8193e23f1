#include "agent/main/agent.h"

#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/batcher/batcher.h"
#include "agent/identity/https_client.h"
#include "agent/identity/key_store.h"
#include "agent/identity/renewer.h"
#include "agent/main/memory_trim.h"
#include "agent/main/power_watch.h"
#include "agent/main/state_lock.h"
#include "agent/main/status_file.h"
#include "agent/sampler/sampler.h"
#include "agent/sampler/thrift.h"
#include "agent/sources/agent_source.h"
#include "agent/sources/battery_source.h"
#include "agent/sources/boot_source.h"
#include "agent/sources/host_facts.h"
#include "agent/sources/host_files.h"
#include "agent/sources/source_table.h"
#include "agent/spool/spool.h"
#include "agent/uplink/grpc_transport.h"
#include "agent/uplink/uplink.h"
#include "protos/base/clock.h"
#include "protos/base/files.h"
#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

using base::Log;
using base::LogLevel;

constexpr int kExitFailure = 1;
constexpr int kExitAlreadyRuns = 3;
// systemd allows 90 s to stop, a shutdown often less.
constexpr absl::Duration kSourcePatience = absl::Seconds(2);
constexpr absl::Duration kGoodbyePatience = absl::Seconds(3);
constexpr absl::Duration kSleepPatience = absl::Seconds(2);
constexpr absl::Duration kHousekeeping = absl::Seconds(5);
constexpr absl::Duration kStatusEvery = absl::Seconds(30);
// The first reading of every source is done by then.
constexpr absl::Duration kFirstTrim = absl::Minutes(1);
constexpr absl::Duration kTrimEvery = absl::Hours(1);
constexpr absl::Duration kThriftEvery = absl::Minutes(1);

template <typename T>
T RandomBits() {
  T bits{};
  if (getrandom(&bits, sizeof(bits), 0) != static_cast<ssize_t>(sizeof(bits))) {
    Log(LogLevel::kError, "the kernel gives no random bits");
    std::abort();  // two runs of one id would lose samples
  }
  return bits;
}

// Measuring must not slow down what it measures.
void StepBack() {
  constexpr int kNice = 5;  // chosen: behind services, ahead of batch jobs
  setpriority(PRIO_PROCESS, 0, kNice);
  constexpr int kWhoProcess = 1;
  constexpr int kBestEffortLowest = 2 << 13 | 7;
  syscall(SYS_ioprio_set, kWhoProcess, 0, kBestEffortLowest);
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// The last step from the batcher: into the spool, and a nudge to the uplink.
class SpoolSink final : public BatchSink {
 public:
  SpoolSink(Spool& spool, Uplink& uplink) : spool_(spool), uplink_(uplink) {}
  void Accept(wire::Batch batch,
              const wire::SeriesDictionary& dictionary) override {
    spool_.Append(std::move(batch), dictionary);
    uplink_.Notify();
  }

 private:
  Spool& spool_;
  Uplink& uplink_;
};

// All rooms, in the order of the data; destroyed in reverse.
class Agent {
 public:
  explicit Agent(const Settings& settings);
  void Run();
  // False when a source still hangs; then the process must end without
  // destructors.
  bool Stop();

 private:
  Uplink::Options UplinkOptions();
  Sampler::Options SamplerOptions();
  v1::AgentConfig SourcesConfig() const;
  void BringStatsUpToDate();
  void KeepHouse();
  void KeepThrift();
  AgentStatus Status() const;
  bool GoesDown() const;

  const Settings& settings_;
  base::Clock& clock_ = base::Clock::System();
  base::Files& files_ = base::Files::Posix();
  const HostFiles host_;
  AgentStats stats_;
  KeyStore store_;
  PinnedHttpsClient https_;
  GrpcTransport transport_;
  Spool spool_;
  Renewer renewer_;
  Uplink uplink_;
  SpoolSink sink_;
  Batcher batcher_;
  Sampler sampler_;
  PowerWatch power_;

  uint64_t watchdog_us_ = 0;
  std::atomic<int64_t> last_tick_seconds_ = 0;  // since boot
  absl::Duration status_due_;
  absl::Duration trim_due_;
  absl::Duration thrift_due_;
  Thrift thrift_{Thrift::Options{}};
  uint32_t stretch_ = 1;
  UplinkPhase told_phase_ = UplinkPhase::kUnspecified;
};

Agent::Agent(const Settings& settings)
    : settings_(settings),
      store_(files_, settings.state()),
      spool_(files_,
             {.folder = settings.PathInState("spool"),
              .limit_bytes = settings.config.spool().limit().bytes()},
             RandomBits<wire::RunId>()),
      renewer_(clock_, https_, store_, RandomBits<uint64_t>(),
               [this] { uplink_.TryNow(); }),
      uplink_(clock_, transport_, store_, spool_, UplinkOptions()),
      sink_(spool_, uplink_),
      batcher_({}, sink_),
      sampler_(clock_, MakeSources(host_, SourcesConfig(), stats_), batcher_,
               stats_, SamplerOptions()),
      power_({.before_sleep = [this] { uplink_.Suspend(kSleepPatience); },
              .after_sleep = [this] { uplink_.Resume(); }}) {
  const absl::Duration now = clock_.SinceBoot();
  last_tick_seconds_ = absl::ToInt64Seconds(now);
  trim_due_ = now + kFirstTrim;
}

// The resolver is watched on the collector's name, which enrolment gave.
v1::AgentConfig Agent::SourcesConfig() const {
  v1::AgentConfig config = settings_.config;
  if (config.collectors().empty()) {
    if (const absl::StatusOr<Identity> identity = store_.Load();
        identity.ok()) {
      config.mutable_collectors()->Assign(identity->collectors.begin(),
                                          identity->collectors.end());
    }
  }
  return config;
}

Uplink::Options Agent::UplinkOptions() {
  Uplink::Options options;
  options.collectors = {settings_.config.collectors().begin(),
                        settings_.config.collectors().end()};
  options.hello.set_agent_version(FOREWARN_VERSION);
  options.hello.set_boot_id(ReadBootId(host_));
  *options.hello.mutable_facts() = ReadFacts(host_, settings_.config);
  options.seed = RandomBits<uint64_t>();
  options.session.on_pace = [this](absl::Duration tick,
                                   absl::Duration lasting) {
    if (tick > absl::ZeroDuration()) sampler_.SetPace(tick, lasting);
  };
  options.session.new_run = RandomBits<wire::RunId>;
  options.on_refused = [this] { renewer_.Kick(); };
  return options;
}

Sampler::Options Agent::SamplerOptions() {
  Sampler::Options options;
  options.tick = settings_.tick();
  options.before_tick = [this] { BringStatsUpToDate(); };
  // Without logind no goodbye was said and the stream is dead by now.
  options.on_resume = [this](absl::Duration) {
    if (!power_.listening()) uplink_.Reconnect();
  };
  return options;
}

void Agent::BringStatsUpToDate() {
  last_tick_seconds_ = absl::ToInt64Seconds(clock_.SinceBoot());
  const Spool::Totals spool = spool_.totals();
  const uint64_t streams = uplink_.state().streams;
  stats_.Update([&](AgentStats::Totals& totals) {
    totals.spool_bytes = spool.bytes;
    totals.spool_limit_bytes = spool.limit_bytes;
    totals.unacked_batches = spool.batches;
    totals.dropped_samples = spool.dropped_samples;
    totals.reconnects = streams;
  });
}

void Agent::Run() {
  uplink_.Start();
  renewer_.Start();
  power_.Start();
  sampler_.Start();
  sd_watchdog_enabled(0, &watchdog_us_);
  sd_notify(0, "READY=1");
  Log(LogLevel::kInfo, "agent runs",
      {{"version", FOREWARN_VERSION},
       {"state", settings_.state()},
       {"tick_seconds", absl::ToDoubleSeconds(settings_.tick())}});
  const sigset_t signals = StopSignals();
  for (;;) {
    KeepHouse();
    const timespec wait = absl::ToTimespec(
        watchdog_us_ == 0
            ? kHousekeeping
            : std::min(kHousekeeping, absl::Microseconds(watchdog_us_) / 3));
    const int signal = sigtimedwait(&signals, nullptr, &wait);
    if (signal > 0) {
      Log(LogLevel::kInfo, "stopping",
          {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
      return;
    }
  }
}

// A longer tick on battery, and while the agent is over its own budget.
void Agent::KeepThrift() {
  const bool on_battery = OnBattery(host_);
  const uint32_t stretch =
      thrift_.Stretch(clock_.SinceBoot(), OwnCpuTime(), on_battery);
  if (std::exchange(stretch_, stretch) == stretch) return;
  sampler_.SetStretch(stretch);
  Log(thrift_.over_budget() ? LogLevel::kWarning : LogLevel::kInfo,
      "tick changed",
      {{"times", stretch},
       {"on_battery", on_battery ? "yes" : "no"},
       {"own_cpu_share", thrift_.cpu_share()}});
}

void Agent::KeepHouse() {
  const absl::Duration now = clock_.SinceBoot();
  // A sampler that stands still is what the watchdog is for.
  const absl::Duration stands = now - absl::Seconds(last_tick_seconds_.load());
  if (watchdog_us_ > 0 && stands < 3 * sampler_.tick() + absl::Minutes(1)) {
    sd_notify(0, "WATCHDOG=1");
  }
  if (now >= trim_due_) {
    trim_due_ = now + kTrimEvery;
    TrimMemory();
  }
  if (now >= thrift_due_) {
    thrift_due_ = now + kThriftEvery;
    KeepThrift();
  }
  const Uplink::State uplink = uplink_.state();
  const bool phase_changed = uplink.phase != told_phase_;
  if (phase_changed) {
    told_phase_ = uplink.phase;
    sd_notifyf(0, "STATUS=%s%s%s", std::string(NameOf(uplink.phase)).c_str(),
               uplink.collector.empty() ? "" : ", collector ",
               uplink.collector.c_str());
  }
  if (!phase_changed && now < status_due_) return;
  status_due_ = now + kStatusEvery;
  // A status that cannot be written is seen by its age.
  WriteStatusFile(settings_.PathInState("status.json"), Status()).IgnoreError();
}

AgentStatus Agent::Status() const {
  const Uplink::State uplink = uplink_.state();
  const Spool::Totals spool = spool_.totals();
  AgentStatus status;
  status.written_at = clock_.Now();
  status.version = FOREWARN_VERSION;
  status.phase = std::string(NameOf(uplink.phase));
  status.collector = uplink.collector;
  status.since = uplink.since;
  status.last_ack = uplink.last_ack;
  status.last_error = uplink.last_error;
  if (const absl::StatusOr<Identity> identity = store_.Load(); identity.ok()) {
    status.endpoint_id = identity->endpoint_id;
    status.certificate_expires = identity->not_after;
  }
  status.tick = sampler_.tick();
  status.series = stats_.totals().series;
  status.spool_bytes = spool.bytes;
  status.spool_limit_bytes = spool.limit_bytes;
  status.spool_batches = spool.batches;
  status.dropped_samples = spool.dropped_samples;
  if (!spool.disk.ok()) status.spool_error = base::ToLine(spool.disk);
  for (const auto& [name, source] : stats_.sources()) {
    status.sources.push_back({.name = name,
                              .failures = source.failures,
                              .age = clock_.SinceBoot() - source.last_good,
                              .interval = source.interval});
  }
  return status;
}

bool Agent::GoesDown() const {
  return power_.shutting_down() || SystemIsStopping();
}

bool Agent::Stop() {
  sd_notify(0, "STOPPING=1");
  const bool goes_down = GoesDown();
  if (goes_down) {
    const absl::Status marked =
        MarkOrderlyShutdown(BootStatePath(settings_.config));
    if (!marked.ok()) {
      Log(LogLevel::kWarning, "orderly shutdown not noted",
          {{"error", base::ToLine(marked)}});
    }
  }
  power_.Stop();
  const bool all_ended = sampler_.Stop(kSourcePatience);
  batcher_.Flush();
  renewer_.Stop();
  uplink_.Stop(
      goes_down ? v1::Goodbye::REASON_SHUTDOWN : v1::Goodbye::REASON_STOP,
      kGoodbyePatience);
  const absl::Status flushed = spool_.Flush();
  if (!flushed.ok()) {
    Log(LogLevel::kError, "spool not written at the end",
        {{"error", base::ToLine(flushed)}});
  }
  WriteStatusFile(settings_.PathInState("status.json"), Status()).IgnoreError();
  Log(LogLevel::kInfo, "agent stopped");
  return all_ended;
}

}  // namespace

int RunAgent(const Settings& settings) {
  const absl::Status prepared =
      KeyStore(base::Files::Posix(), settings.state()).Prepare();
  if (!prepared.ok()) {
    Log(LogLevel::kError, "cannot start", {{"error", base::ToLine(prepared)}});
    return kExitFailure;
  }
  const absl::StatusOr<std::unique_ptr<StateLock>> lock =
      StateLock::Take(settings.PathInState("agent.lock"));
  if (!lock.ok()) {
    Log(LogLevel::kError, "cannot start",
        {{"error", base::ToLine(lock.status())}});
    return absl::IsAlreadyExists(lock.status()) ? kExitAlreadyRuns
                                                : kExitFailure;
  }
  // Before any thread, so that all of them leave the signals to Run.
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  StepBack();
  Agent agent(settings);
  agent.Run();
  if (!agent.Stop()) std::_Exit(0);
  return 0;
}

}  // namespace forewarn::agent
