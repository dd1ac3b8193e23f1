#ifndef FOREWARN_AGENT_SOURCES_CLOCK_SOURCE_H_
#define FOREWARN_AGENT_SOURCES_CLOCK_SOURCE_H_

#include <sys/timex.h>

#include <functional>

#include "absl/strings/string_view.h"
#include "agent/sources/source.h"

namespace forewarn::agent {

// forewarn.clock.*: what the kernel knows of its clock's discipline. Where
// the kernel does not tell (some containers): kUnimplemented.
class ClockSource final : public Source {
 public:
  // As adjtimex(2): the clock's state, or -1 with errno set.
  using ReadDiscipline = std::function<int(struct timex*)>;

  explicit ClockSource(ReadDiscipline read = adjtimex);

  absl::string_view name() const override { return "clock"; }
  absl::Status Sample(const SampleTime& now, ReadingSink& sink) override;

 private:
  const ReadDiscipline read_;
};

}  // namespace forewarn::agent

#endif  // FOREWARN_AGENT_SOURCES_CLOCK_SOURCE_H_
