#include "agent/sampler/source_thread.h"

#include <chrono>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "protos/base/mutex.h"

namespace forewarn::agent {
namespace {

constexpr size_t kMaxReadings = 10000;
constexpr size_t kMaxEvents = 1000;
constexpr size_t kMaxProcesses = 100;
constexpr absl::Duration kPatienceAtEnd = absl::Seconds(1);

}  // namespace

void KeptReadings::Accept(absl::string_view metric,
                          std::initializer_list<AttributeView> attributes,
                          double value) {
  if (readings.size() >= kMaxReadings) {
    ++refused;
    return;
  }
  Reading& reading = readings.emplace_back();
  reading.metric = std::string(metric);
  reading.value = value;
  for (const auto& [key, text] : attributes) {
    reading.attributes.emplace_back(key, text);
  }
}

void KeptReadings::AcceptEvent(v1::Event event) {
  if (events.size() >= kMaxEvents) {
    ++refused;
    return;
  }
  events.push_back(std::move(event));
}

void KeptReadings::AcceptProcesses(v1::ProcessSnapshot snapshot) {
  if (processes.size() >= kMaxProcesses) {
    ++refused;
    return;
  }
  processes.push_back(std::move(snapshot));
}

struct SourceThread::State {
  State(std::unique_ptr<Source> the_source, base::Clock& the_clock)
      : source(std::move(the_source)), clock(the_clock) {}

  const std::unique_ptr<Source> source;
  base::Clock& clock;

  base::Mutex mutex;
  base::CondVar changed;
  std::optional<SampleTime> asked ABSL_GUARDED_BY(mutex);
  std::optional<Result> result ABSL_GUARDED_BY(mutex);
  bool stop ABSL_GUARDED_BY(mutex) = false;
  bool ended ABSL_GUARDED_BY(mutex) = false;
};

SourceThread::SourceThread(std::unique_ptr<Source> source, base::Clock& clock)
    : state_(std::make_shared<State>(std::move(source), clock)),
      name_(state_->source->name()),
      interval_(state_->source->interval()),
      thread_([state = state_] { Run(state); }) {}

SourceThread::~SourceThread() {
  Stop();
  if (thread_.joinable()) Join(kPatienceAtEnd);
}

void SourceThread::Run(const std::shared_ptr<State>& state) {
  for (;;) {
    SampleTime now;
    {
      base::MutexLock lock(&state->mutex);
      while (!state->stop && !state->asked.has_value()) {
        state->changed.Wait(&state->mutex);
      }
      if (state->stop) {
        state->ended = true;
        state->changed.NotifyAll();
        return;
      }
      now = *state->asked;
    }
    Result result;
    const absl::Duration began = state->clock.SinceBoot();
    result.status = state->source->Sample(now, result.kept);
    result.took = state->clock.SinceBoot() - began;
    base::MutexLock lock(&state->mutex);
    state->asked.reset();
    state->result = std::move(result);
  }
}

bool SourceThread::Ask(const SampleTime& now) {
  base::MutexLock lock(&state_->mutex);
  if (state_->asked.has_value() || state_->result.has_value()) return false;
  state_->asked = now;
  state_->changed.NotifyAll();
  return true;
}

std::optional<SourceThread::Result> SourceThread::Take() {
  base::MutexLock lock(&state_->mutex);
  return std::exchange(state_->result, std::nullopt);
}

void SourceThread::Stop() {
  base::MutexLock lock(&state_->mutex);
  state_->stop = true;
  state_->changed.NotifyAll();
}

bool SourceThread::Join(absl::Duration patience) {
  const auto deadline =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(patience);
  bool ended = false;
  {
    base::MutexLock lock(&state_->mutex);
    while (!state_->ended) {
      // Between readings it ends by itself, at once.
      if (!state_->asked.has_value()) {
        state_->changed.Wait(&state_->mutex);
        continue;
      }
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) break;
      state_->changed.WaitFor(&state_->mutex, left);
    }
    ended = state_->ended;
  }
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
  return ended;
}

}  // namespace forewarn::agent
