#include "agent/main/source_readings.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace forewarn::agent {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(10);

void Merge(std::vector<KeptReadings::Reading> fresh,
           std::vector<KeptReadings::Reading>& known) {
  for (KeptReadings::Reading& reading : fresh) {
    bool found = false;
    for (KeptReadings::Reading& other : known) {
      if (other.metric == reading.metric &&
          other.attributes == reading.attributes) {
        other.value = reading.value;
        found = true;
        break;
      }
    }
    if (!found) known.push_back(std::move(reading));
  }
}

}  // namespace

std::vector<SourceReadings> ReadSources(
    std::vector<std::unique_ptr<Source>> sources, base::Clock& clock, int times,
    absl::Duration pause, absl::Duration patience, bool* hung) {
  *hung = false;
  std::vector<SourceReadings> all(sources.size());
  std::vector<std::unique_ptr<SourceThread>> threads;
  for (size_t i = 0; i < sources.size(); ++i) {
    all[i].source = std::string(sources[i]->name());
    threads.push_back(
        std::make_unique<SourceThread>(std::move(sources[i]), clock));
  }
  for (int round = 0; round < times; ++round) {
    if (round > 0) absl::SleepFor(pause);
    const SampleTime now{.wall = clock.Now(), .since_boot = clock.SinceBoot()};
    for (size_t i = 0; i < threads.size(); ++i) {
      if (threads[i] != nullptr) threads[i]->Ask(now);
    }
    const absl::Duration deadline = clock.SinceBoot() + patience;
    for (size_t i = 0; i < threads.size(); ++i) {
      if (threads[i] == nullptr) continue;
      std::optional<SourceThread::Result> result = threads[i]->Take();
      while (!result.has_value() && clock.SinceBoot() < deadline) {
        absl::SleepFor(kPoll);
        result = threads[i]->Take();
      }
      if (!result.has_value()) {
        all[i].status = absl::DeadlineExceededError(
            absl::StrCat("read ", all[i].source, ": no answer within ",
                         absl::FormatDuration(patience)));
        threads[i]->Stop();
        threads[i]->Join(absl::ZeroDuration());
        threads[i].reset();
        *hung = true;
        continue;
      }
      all[i].status = result->status;
      Merge(std::move(result->kept.readings), all[i].readings);
    }
  }
  return all;
}

}  // namespace forewarn::agent
