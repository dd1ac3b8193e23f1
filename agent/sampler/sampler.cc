#include "agent/sampler/sampler.h"

#include <algorithm>
#include <utility>

#include "protos/base/logging.h"
#include "protos/base/status.h"

namespace forewarn::agent {
namespace {

using base::Log;
using base::LogLevel;

constexpr absl::Duration kShortestTick = absl::Seconds(1);
constexpr absl::Duration kLongestTick = absl::Hours(1);
constexpr absl::Duration kLongestBurst = absl::Hours(24);
// The two clocks are read one after the other; less is no sleep.
constexpr absl::Duration kLeastSleep = absl::Seconds(1);
// What this platform does not have will not come within a tick.
constexpr absl::Duration kRetryUnimplemented = absl::Minutes(5);

}  // namespace

Sampler::Sampler(base::Clock& clock,
                 std::vector<std::unique_ptr<Source>> sources, Batcher& batcher,
                 AgentStats& stats, Options options)
    : clock_(clock),
      batcher_(batcher),
      stats_(stats),
      options_(std::move(options)),
      asleep_(clock.SinceBoot() - clock.Awake()),
      tick_(std::clamp(options_.tick, kShortestTick, kLongestTick)) {
  for (std::unique_ptr<Source>& source : sources) {
    Reading& reading = readings_.emplace_back();
    reading.name = std::string(source->name());
    reading.interval = source->interval();
    if (source->may_block()) {
      reading.blocking =
          std::make_unique<SourceThread>(std::move(source), clock);
    } else {
      reading.source = std::move(source);
    }
  }
}

Sampler::~Sampler() { Stop(absl::ZeroDuration()); }

void Sampler::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Sampler::Run() {
  while (!stop_) {
    const absl::Duration left = Turn();
    if (left > absl::ZeroDuration()) alarm_.WaitFor(left);
  }
}

bool Sampler::Stop(absl::Duration patience) {
  stop_ = true;
  alarm_.Wake();
  if (thread_.joinable()) thread_.join();
  for (Reading& reading : readings_) {
    if (reading.blocking != nullptr) reading.blocking->Stop();
  }
  bool all_ended = true;
  const absl::Duration deadline = clock_.SinceBoot() + patience;
  for (Reading& reading : readings_) {
    if (reading.blocking == nullptr) continue;
    if (!reading.blocking->Join(
            std::max(deadline - clock_.SinceBoot(), absl::ZeroDuration()))) {
      Log(LogLevel::kWarning, "source still blocks at the end; left behind",
          {{"source", reading.name}});
      all_ended = false;
    }
    reading.blocking.reset();
  }
  readings_.clear();
  return all_ended;
}

void Sampler::SetPace(absl::Duration tick, absl::Duration lasting) {
  tick = std::clamp(tick, kShortestTick, kLongestTick);
  const absl::Duration now = clock_.SinceBoot();
  {
    base::MutexLock lock(&mutex_);
    if (lasting > absl::ZeroDuration()) {
      burst_tick_ = tick;
      burst_until_ = now + std::min(lasting, kLongestBurst);
    } else {
      tick_ = tick;
      burst_until_ = absl::ZeroDuration();
    }
    pace_changed_ = true;
  }
  alarm_.Wake();
}

void Sampler::SetStretch(uint32_t factor) {
  {
    base::MutexLock lock(&mutex_);
    if (stretch_ == factor) return;
    stretch_ = factor;
    pace_changed_ = true;
  }
  alarm_.Wake();
}

absl::Duration Sampler::SteadyTick() const {
  return std::min(tick_ * static_cast<int64_t>(stretch_), kLongestTick);
}

absl::Duration Sampler::tick() const {
  base::MutexLock lock(&mutex_);
  return burst_until_ > clock_.SinceBoot() ? burst_tick_ : SteadyTick();
}

absl::Duration Sampler::CurrentTick(absl::Duration now) {
  base::MutexLock lock(&mutex_);
  if (burst_until_ > absl::ZeroDuration() && now >= burst_until_) {
    burst_until_ = absl::ZeroDuration();
    pace_changed_ = true;
  }
  const absl::Duration tick =
      burst_until_ > absl::ZeroDuration() ? burst_tick_ : SteadyTick();
  if (std::exchange(pace_changed_, false)) {
    next_tick_ = std::min(next_tick_, now + tick);
  }
  return tick;
}

void Sampler::NoticeSleep() {
  const absl::Duration asleep = clock_.SinceBoot() - clock_.Awake();
  const absl::Duration slept = asleep - asleep_;
  if (slept < kLeastSleep) return;
  asleep_ = asleep;
  Log(LogLevel::kInfo, "machine slept",
      {{"seconds", absl::ToInt64Seconds(slept)}});
  if (options_.on_resume) options_.on_resume(slept);
}

absl::Duration Sampler::Turn() {
  NoticeSleep();
  const SampleTime now{.wall = clock_.Now(), .since_boot = clock_.SinceBoot()};
  if (!started_) {
    started_ = true;
    next_tick_ = now.since_boot;
  }
  const absl::Duration tick = CurrentTick(now.since_boot);
  if (now.since_boot < next_tick_) return next_tick_ - now.since_boot;
  // The latest tick that is due; those before it were missed.
  absl::Duration into_tick;
  absl::IDivDuration(now.since_boot - next_tick_, tick, &into_tick);
  const absl::Duration due = now.since_boot - into_tick;
  next_tick_ = due + tick;

  stats_.Update([&](AgentStats::Totals& totals) {
    totals.tick = tick;
    totals.series = batcher_.series();
  });
  if (options_.before_tick) options_.before_tick();
  batcher_.BeginTick(now.wall);
  for (Reading& reading : readings_) {
    if (stop_) break;
    if (reading.blocking != nullptr) TakeFrom(reading);
    if (due < reading.next_due) continue;
    reading.next_due = due + reading.interval;
    reading.state.interval = std::max(reading.interval, tick);
    if (reading.source != nullptr) {
      ReadInline(reading, now);
    } else if (reading.blocking->Ask(now) &&
               reading.state.last_good == absl::ZeroDuration()) {
      // Its age counts from the first question, so that a source that hangs
      // at once is seen too.
      reading.state.last_good = now.since_boot;
      stats_.SetSource(reading.name, reading.state);
    }
  }
  batcher_.EndTick(tick);
  return std::max(next_tick_ - clock_.SinceBoot(), absl::ZeroDuration());
}

void Sampler::ReadInline(Reading& reading, const SampleTime& now) {
  const absl::Duration began = clock_.SinceBoot();
  const absl::Status status = reading.source->Sample(now, batcher_);
  const absl::Duration ended = clock_.SinceBoot();
  Record(reading, status, ended - began, ended);
}

void Sampler::TakeFrom(Reading& reading) {
  std::optional<SourceThread::Result> result = reading.blocking->Take();
  if (!result.has_value()) return;
  for (const KeptReadings::Reading& kept : result->kept.readings) {
    batcher_.Accept(kept.metric, kept.attributes, kept.value);
  }
  for (v1::Event& event : result->kept.events) {
    batcher_.AcceptEvent(std::move(event));
  }
  for (v1::ProcessSnapshot& snapshot : result->kept.processes) {
    batcher_.AcceptProcesses(std::move(snapshot));
  }
  Record(reading, result->status, result->took, clock_.SinceBoot());
}

void Sampler::Record(Reading& reading, const absl::Status& status,
                     absl::Duration took, absl::Duration now) {
  if (absl::IsNotFound(status) || absl::IsUnimplemented(status)) {
    stats_.RemoveSource(reading.name);
    if (absl::IsUnimplemented(status)) {
      reading.next_due = std::max(reading.next_due, now + kRetryUnimplemented);
    }
    return;
  }
  reading.state.last_duration = took;
  if (status.ok()) {
    reading.state.last_good = now;
    if (std::exchange(reading.logged, false)) {
      Log(LogLevel::kInfo, "source reads again", {{"source", reading.name}});
    }
  } else {
    ++reading.state.failures;
    if (reading.state.last_good == absl::ZeroDuration()) {
      reading.state.last_good = now;
    }
    if (!std::exchange(reading.logged, true)) {
      Log(LogLevel::kWarning, "source failed",
          {{"source", reading.name}, {"error", base::ToLine(status)}});
    }
  }
  stats_.SetSource(reading.name, reading.state);
}

}  // namespace forewarn::agent
